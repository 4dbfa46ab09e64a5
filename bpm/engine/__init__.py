"""A BPMN token engine in pure Python: reads, checks and advances processes. It imports no Django.

The door is this module; see `bpm.engine.events` for what goes in and comes out.
"""
