"""The last step of a bulk load."""

from crm.web.demo import Demo, demo_step


@demo_step(80, "large")
def finish(demo: Demo) -> None:
    demo.say("  indexes and foreign keys")
    demo.bulk.finish()
