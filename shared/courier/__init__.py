"""How requests and answers travel: as a file, as pictures, as a GIF, on the terminal; in again by the same ways."""
