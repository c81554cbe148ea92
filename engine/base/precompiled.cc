// Nothing of its own: its precompiled headers are those of every library that speaks JSON.
