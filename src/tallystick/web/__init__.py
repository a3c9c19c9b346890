"""The HTTP side: Graphite's API, our own, writes, what the server says of itself, and the pages.

`app.make_app` puts it together; each other module gives a list of routes and knows nothing of the others. `access` is
who may ask.
"""
