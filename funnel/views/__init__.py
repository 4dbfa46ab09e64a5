"""The settings of funnels: stages, moves, what each stage requires, and the types of deals."""
