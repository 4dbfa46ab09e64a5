"""The project package and, inside it, the ground every area stands on."""
