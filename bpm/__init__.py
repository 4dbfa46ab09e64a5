"""Business processes: definitions, versions, instances, user tasks, gates; the engine is in `bpm.engine`."""
