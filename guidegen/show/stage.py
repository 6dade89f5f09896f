"""Where bodies are lit and rendered: VTK without a display.

PyVista would be shorter, but importing it takes longer than drawing all three pictures.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import GuidegenError
from guidegen.frames import FloatArray, IntArray
from guidegen.show.canvas import FINER, SCENE_BOTTOM, SCENE_TOP, SHEET, Colour, View
from guidegen.surfaces import Surface

# The scene in the pixels that are rendered.
WIDTH, HEIGHT = SHEET[0] * FINER, (SCENE_BOTTOM - SCENE_TOP) * FINER

# The window VTK comes down to when it found no way to draw; it crashes when used.
NO_DRIVER = "vtkOSOpenGLRenderWindow"

# Key, fill and foot light: place beside the camera (right, up, towards the viewer) and strength.
LIGHTS = (((-0.5, 0.7, 1.0), 0.75), ((1.0, 0.2, 0.9), 0.35), ((0.2, -1.0, 0.6), 0.2))

# From the middle of the scene to the camera; in a parallel projection it only has to be outside the bodies.
CAMERA_MM = 500.0

# Edges sharper than this stay sharp when a machined body is shaded.
SHARP_DEG = 30.0

# Depth darkening: widths of the blur in pixels, the step in depth that gives full shade, and the most shade.
SHADE_WIDTHS = (2, 9)
FULL_SHADE_MM = 12.0
MOST_SHADE = 0.35


@dataclass(frozen=True)
class Look:
    """How much light of each kind a body gives back."""

    ambient: float
    diffuse: float
    specular: float


MATT = Look(0.28, 0.85, 0.05)
SATIN = Look(0.30, 0.85, 0.25)
PLAIN = Look(0.82, 0.20, 0.0)  # hardly shaded, so that a colour can be compared with a colour bar


class Stage:
    """A lit scene, seen through any `View`; one serves for all pictures, since opening it takes long."""

    def __init__(self) -> None:
        """GuidegenError where there is nothing to draw with."""
        if sys.platform == "linux" and not os.environ.get("DISPLAY"):
            # unless told so, VTK first looks for a display and complains that there is none
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
        import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  brings what draws
        from vtkmodules.vtkRenderingCore import vtkLight, vtkRenderer, vtkRenderWindow

        self._window: Any = vtkRenderWindow()
        if self._window.GetClassName() == NO_DRIVER:
            raise GuidegenError(
                "expected a display or EGL with a driver to draw the pictures, found neither; "
                "install EGL and Mesa (Debian: libegl1 libgl1-mesa-dri)"
            )
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)  # the sheet is reduced instead
        self._window.SetSize(WIDTH, HEIGHT)
        self._renderer: Any = vtkRenderer()
        self._renderer.SetBackground(1.0, 1.0, 1.0)
        self._renderer.AutomaticLightCreationOff()
        self._window.AddRenderer(self._renderer)
        for place, strength in LIGHTS:
            light = vtkLight()
            light.SetLightTypeToCameraLight()
            light.SetPosition(*place)
            light.SetIntensity(strength)
            self._renderer.AddLight(light)

    def add(self, mesh: Any, look: Look, colour: Colour | None = None, opacity: float = 1.0, scale: Any = None) -> None:
        """Puts a mesh on the stage, in one colour, in the colours of its points, or in those of its values on `scale`.

        What one sees through (`opacity` below 1, or colours of four channels) shows its front only.
        """
        from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

        mapper = vtkPolyDataMapper()
        mapper.SetInputData(mesh)
        if scale is not None:
            mapper.SetLookupTable(scale)
            mapper.UseLookupTableScalarRangeOn()
            mapper.InterpolateScalarsBeforeMappingOn()  # else a colour would be the mean of colours, not of a gap
        actor = vtkActor()
        actor.SetMapper(mapper)
        shine = actor.GetProperty()
        shine.SetInterpolationToPhong()
        shine.SetAmbient(look.ambient)
        shine.SetDiffuse(look.diffuse)
        shine.SetSpecular(look.specular)
        shine.SetSpecularPower(30.0)
        shine.SetOpacity(opacity)
        if colour is not None:
            shine.SetColor(*(channel / 255.0 for channel in colour))
        scalars = mesh.GetPointData().GetScalars()
        if opacity < 1.0 or (scalars is not None and scalars.GetNumberOfComponents() == 4):
            shine.BackfaceCullingOn()
        self._renderer.AddActor(actor)

    def rendered(self, view: View, deepened: bool = False) -> npt.NDArray[np.uint8]:
        """What stands on the stage, (height, width, 3), `deepened` or not; the stage is empty again afterwards."""
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        camera = self._renderer.GetActiveCamera()
        camera.SetFocalPoint(*view.center_mm)
        camera.SetPosition(*(view.center_mm + CAMERA_MM * view.axes[2]))
        camera.SetViewUp(*view.axes[1])
        camera.ParallelProjectionOn()
        camera.SetParallelScale((SCENE_BOTTOM - SCENE_TOP) / 2.0 * view.mm_per_pixel)
        self._renderer.ResetCameraClippingRange()
        self._window.Render()
        pixels: Any = vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, WIDTH - 1, HEIGHT - 1, 0, pixels, 0)
        image = np.frombuffer(pixels, dtype=np.uint8).reshape(HEIGHT, WIDTH, 3)
        if deepened:
            image = _deepened(image, self._depth_mm())
        self._renderer.RemoveAllViewProps()
        return np.ascontiguousarray(image[::-1])  # VTK counts rows from below

    def _depth_mm(self) -> npt.NDArray[np.float32]:
        """How far away each pixel is, (height, width); infinite where there is nothing."""
        from vtkmodules.vtkCommonCore import vtkFloatArray

        buffer: Any = vtkFloatArray()
        self._window.GetZbufferData(0, 0, WIDTH - 1, HEIGHT - 1, buffer)
        depth = np.frombuffer(buffer, dtype=np.float32).reshape(HEIGHT, WIDTH)
        near, far = self._renderer.GetActiveCamera().GetClippingRange()
        return np.where(depth < 1.0, near + depth * (far - near), np.inf).astype(np.float32)

    def close(self) -> None:
        """Gives the window back."""
        self._window.Finalize()


def smooth(surface: Surface) -> Any:
    """The surface as VTK's mesh, shaded round."""
    mesh = _mesh(surface.vertices, surface.faces)
    mesh.GetPointData().SetNormals(_array(surface.vertex_normals))
    return mesh


def painted(surface: Surface, colours: npt.NDArray[np.uint8]) -> Any:
    """The surface as VTK's mesh, shaded round, its vertices in these colours (N, 3)."""
    mesh = smooth(surface)
    mesh.GetPointData().SetScalars(_array(colours))
    return mesh


def sharp(vertices: FloatArray, faces: IntArray, values: FloatArray | None = None) -> Any:
    """Triangles as VTK's mesh, their sharp edges left sharp; `values` (N,) are what a scale gives colours to."""
    from vtkmodules.vtkFiltersCore import vtkPolyDataNormals

    mesh = _mesh(vertices, faces)
    if values is not None:
        mesh.GetPointData().SetScalars(_array(values))
    normals = vtkPolyDataNormals()
    normals.SetInputData(mesh)
    normals.SetFeatureAngle(SHARP_DEG)
    normals.ConsistencyOff()
    normals.Update()
    return normals.GetOutput()


def glass(surface: Surface, view: View, colour: Colour) -> Any:
    """The surface as VTK's mesh, coloured clear where it faces the viewer and dense at its rim.

    This stands in for depth peeling, which draws nothing without a display.
    """
    facing = np.clip(surface.vertex_normals @ view.axes[2], 0.0, 1.0)
    opacity = 255.0 * (0.22 + 0.75 * (1.0 - facing) ** 2)
    mesh = smooth(surface)
    mesh.GetPointData().SetScalars(
        _array(np.column_stack([np.tile(colour, (len(facing), 1)), opacity]).astype(np.uint8))
    )
    return mesh


def rod(begin_mm: npt.ArrayLike, end_mm: npt.ArrayLike, diameter_mm: float) -> Any:
    """A round rod between two points (3,) as VTK's mesh."""
    from vtkmodules.vtkFiltersCore import vtkTubeFilter

    axis = _mesh(np.array([begin_mm, end_mm], dtype=np.float64), np.array([[0, 1]]))
    tube = vtkTubeFilter()
    tube.SetInputData(axis)
    tube.SetRadius(diameter_mm / 2.0)
    tube.SetNumberOfSides(72)
    tube.CappingOn()
    tube.Update()
    return tube.GetOutput()


def colour_scale(colours: npt.NDArray[np.uint8], low: float, high: float) -> Any:
    """VTK's table of colours (K, 3) for values evenly from `low` to `high`; beyond them the first and the last."""
    from vtkmodules.vtkCommonCore import vtkLookupTable

    table = vtkLookupTable()
    table.SetTable(_array(np.hstack([colours, np.full((len(colours), 1), 255, dtype=np.uint8)])))
    table.SetRange(low, high)
    return table


def _mesh(vertices: FloatArray, cells: IntArray) -> Any:
    """Points (N, 3) and triangles (M, 3) or lines (M, 2) as VTK's mesh."""
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    points, corners, mesh = vtkPoints(), vtkCellArray(), vtkPolyData()
    points.SetData(_array(vertices))
    corners.SetData(cells.shape[1], _array(cells.ravel()))
    mesh.SetPoints(points)
    if cells.shape[1] == 3:
        mesh.SetPolys(corners)
    else:
        mesh.SetLines(corners)
    return mesh


def _array(values: npt.NDArray[Any]) -> Any:
    """A copy as VTK's array."""
    from vtkmodules.util import numpy_support

    untyped: Any = numpy_support
    return untyped.numpy_to_vtk(np.ascontiguousarray(values), deep=True)


def _deepened(image: npt.NDArray[np.uint8], depth_mm: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The image, darker where something nearer stands beside: depth darkening (Luft, Colditz and Deussen 2006)."""
    from scipy.ndimage import gaussian_filter

    coarse = depth_mm[::FINER, ::FINER]
    something = np.isfinite(coarse)
    if not something.any():
        return image
    depth = np.where(something, coarse, coarse[something].max())
    light = np.ones_like(depth)
    for width in SHADE_WIDTHS:
        light -= np.clip((depth - gaussian_filter(depth, width, truncate=2.0)) / FULL_SHADE_MM, 0.0, MOST_SHADE)
    light[~something] = 1.0
    return (image * light.repeat(FINER, axis=0).repeat(FINER, axis=1)[:, :, None]).astype(np.uint8)
