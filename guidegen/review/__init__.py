"""What stands between a checked guide and its printing: people, signatures, the audit chain and the approval.

`guidegen.review.reviews.Reviews` is the door; docs/approval.md and docs/audit.md say what stands behind it.
"""
