"""What both commands show and ask: prompts, the progress of a reception, refusals and exit codes."""
