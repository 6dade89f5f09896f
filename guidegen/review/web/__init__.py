"""The review page, `guidegen review`: what a surgeon looks at, and where people sign.

`guidegen.review.web.app.make_app` is the whole site; docs/review_page.md says what stands on it.
"""
