"""Forms on the company's web pages: built by an administrator, guarded against robots, turned into leads by a job."""
