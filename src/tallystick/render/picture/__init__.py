"""Pictures of series, with the style parameters of Graphite's ``/render``.

`Drawing` is how a picture is to look. The modules that import Matplotlib are imported when the first picture is drawn:
it takes half a second and some 40 MB that most servers never need.
"""

from tallystick.render.picture.drawing import Drawing

__all__ = ["Drawing"]
