"""What leaves the house, only after approval, and how anybody finds out whether it is still what left it.

`guidegen.release.release.release_to` and `guidegen.release.verify.verify_folder` are the doors; docs/release.md says
what a release holds.
"""
