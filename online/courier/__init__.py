"""How requests travel to a signer at which nobody sits: by its spool folder, carried by the operating system."""
