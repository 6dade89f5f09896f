"""Templates that a hospital edits: guides, kits, printers and the dossier. Installed as guidegen.templates."""
