"""Workloads of programs that make one kind of file of another; no rule was made for them.

Each was written before anybody looked at what minify keeps of its program: docs/recall.md.
"""

# ruff: noqa: S108  # these are names in trees that nobody else has

from __future__ import annotations

from collections.abc import Callable

from recall.room import Room


def _works(room: Room, name: str, command: str) -> None:
    """Checks that a command of the shell ends well."""
    room.check(name, "^ok$", room.shell(f"{command} && echo ok"))


def gs(room: Room) -> None:
    quiet = "gs -q -dBATCH -dNOPAUSE -dSAFER"
    for device in ("pdfwrite", "png16m", "tiffg4", "eps2write", "jpegcmyk"):
        _works(room, device, f"{quiet} -r72 -sDEVICE={device} -o /tmp/{device} /app/a.ps")
    archived = "-dPDFA=2 -sColorConversionStrategy=RGB -sDEVICE=pdfwrite -o /tmp/b.pdf"
    _works(room, "pdfa", f"{quiet} {archived} /tmp/pdfwrite")
    _works(room, "ps2pdf", "ps2pdf /app/a.ps /tmp/c.pdf")
    room.check("text", "Hello from Times", room.run("/usr/bin/pdftotext", "/tmp/c.pdf", "-"))
    text = room.shell(f"{quiet} -sDEVICE=txtwrite -o - /tmp/pdfwrite")
    room.check("txtwrite", "Hello from Times", text)
    _works(room, "draw", "pdftoppm -r 50 -png /tmp/c.pdf /tmp/p")
    room.check("cjk", "日本語", room.run("/usr/bin/pdftotext", "/app/cjk.pdf", "-"))
    _works(room, "cjkdraw", f"{quiet} -r72 -sDEVICE=pnggray -o /tmp/cjk.png /app/cjk.pdf")


def gnuplot(room: Room) -> None:
    def plot(text: str) -> str:
        return room.run("/usr/bin/gnuplot", "-e", text)

    terminals = "pngcairo png svg pdfcairo postscript dumb canvas epslatex gif tkcanvas".split()
    for name in terminals:
        out = f"set term {name}; set output '/tmp/{name}.out'"
        made = plot(f"{out}; plot sin(x) title 'sine'; unset output; print '{name}-ok'")
        room.check(name, f"^{name}-ok", made)
    room.check("help", "plot", plot("help plot"))
    room.write("/tmp/d", "1 2\n2 4\n")
    quiet = "set print '-'; f(x)=a*x; set fit quiet; set fit logfile '/dev/null'"
    fitted = plot(f"{quiet}; fit f(x) '/tmp/d' via a; print sprintf('a=%.1f',a)")
    room.check("fit", r"a=2\.0", fitted)
    room.check("time", "1970", plot("set print '-'; print strftime('%Y-%m-%d',0)"))
    text = "set locale 'C.UTF-8'; set encoding utf8; set term svg; plot sin(x) title 'ä'"
    room.check("utf8", "ä", plot(text))
    room.check("system", "^there", plot("print system('echo there')"))
    room.check("palette", "ok", plot("set loadpath; set palette cubehelix; print 'ok'"))


def sox(room: Room) -> None:
    _works(room, "synth", "sox -n /tmp/a.wav synth 1 sine 440")
    for form in ("mp3", "ogg", "flac", "aiff", "au", "gsm", "amr-nb", "w64", "caf"):
        rate = "-r 8000 -c 1" if form in ("gsm", "amr-nb") else ""
        _works(room, form, f"sox /tmp/a.wav {rate} /tmp/a.{form} && soxi /tmp/a.{form} >/dev/null")
    _works(room, "effects", "sox /tmp/a.flac /tmp/b.wav reverb tempo 1.2 rate 22050 norm -1")
    _works(room, "spectrogram", "sox /tmp/a.wav -n spectrogram -o /tmp/s.png")
    room.check("statistics", "RMS", room.run("/usr/bin/sox", "/tmp/a.mp3", "-n", "stat"))
    room.check("formats", " mp3 ", room.shell("sox --help | grep 'AUDIO FILE FORMATS'"))


def gstreamer(room: Room) -> None:
    def launch(name: str, pipeline: str) -> None:
        _works(room, name, f"gst-launch-1.0 -q {pipeline}")

    film, sound = "videotestsrc num-buffers=5", "audiotestsrc num-buffers=20"
    launch("theora", f"{film} ! theoraenc ! oggmux ! filesink location=/tmp/a.ogv")
    launch("vorbis", f"{sound} ! vorbisenc ! oggmux ! filesink location=/tmp/a.ogg")
    for name in ("ogv", "ogg"):
        launch(f"decode-{name}", f"filesrc location=/tmp/a.{name} ! decodebin ! fakesink")
    picture = "videotestsrc num-buffers=1"
    launch("text", f"{picture} ! textoverlay text=Hello ! videoconvert ! pngenc ! fakesink")
    launch("webm", f"{film} ! vp8enc ! webmmux ! filesink location=/tmp/a.webm")
    launch("jpeg", f"{picture} ! jpegenc ! jpegdec ! videoscale ! fakesink")
    launch("flac", f"{sound} ! audioconvert ! audioresample ! flacenc ! fakesink")
    launch("playbin", "playbin uri=file:///tmp/a.ogg audio-sink=fakesink")
    refused = "gst-launch-1.0 -q souphttpsrc location=https://localhost:1/ ! fakesink"
    room.check("refused", "(?i)could not connect|refused", room.shell(refused))
    room.check("inspect", "Vorbis", room.run("/usr/bin/gst-inspect-1.0", "vorbisdec"))
    room.check("list", "ogg", room.shell("gst-inspect-1.0 | grep ogg | head -5"))


def gdal(room: Room) -> None:
    options = "-oo X_POSSIBLE_NAMES=x -oo Y_POSSIBLE_NAMES=y -a_srs EPSG:4326"
    forms = (
        *(("GPKG", "gpkg"), ("ESRI Shapefile", "shp"), ("KML", "kml"), ("GML", "gml")),
        *(("SQLite", "sqlite"), ("GeoJSON", "json"), ("MapInfo File", "tab"), ("PDF", "pdf")),
    )
    for form, ending in forms:
        _works(room, ending, f"ogr2ogr -f '{form}' {options} /tmp/a.{ending} /app/places.csv")
    drawn = "ogr2ogr -f DXF /tmp/a.dxf /app/places.geojson -sql 'select geometry from places'"
    _works(room, "dxf", f"{drawn} -dialect SQLite")

    def transformed(place: str, to: str) -> str:
        return room.shell(f"echo '{place}' | gdaltransform -s_srs EPSG:4326 -t_srs {to}")

    room.check("transform", r"\d{6}", transformed("48.8566 2.3522", "EPSG:3857"))
    room.check("british", r"\d{6}", transformed("51.5072 -0.1276", "EPSG:27700"))
    moved = "ogr2ogr -t_srs EPSG:3035 /tmp/b.shp /app/places.geojson && ogrinfo -so /tmp/b.shp b"
    room.check("reproject", "ETRS89", room.shell(moved))
    room.check("srs", "PROJCS|PROJCRS", room.run("/usr/bin/gdalsrsinfo", "EPSG:25832"))
    grid = "ncols 2\nnrows 2\nxllcorner 0\nyllcorner 50\ncellsize 1\n1 2\n3 4\n"
    room.write("/tmp/a.asc", grid)
    _works(room, "tiff", "gdal_translate -q -a_srs EPSG:4326 -of GTiff /tmp/a.asc /tmp/a.tif")
    warped = "gdalwarp -q -t_srs EPSG:32631 /tmp/a.tif /tmp/w.tif && gdalinfo /tmp/w.tif"
    room.check("warp", "UTM zone 31N", room.shell(warped))
    for driver in ("PNG", "JPEG", "netCDF", "HFA", "PDF", "GIF"):
        made = f"gdal_translate -q -ot Byte -of {driver} /tmp/a.tif /tmp/o.{driver}"
        _works(room, driver, made)
    sql = "select ST_AsText(geom), name from places where name like 'P%'"
    found = room.shell(f'ogrinfo -ro -q /tmp/a.gpkg -dialect SQLite -sql "{sql}"')
    room.check("sql", "Paris", found)
    _works(room, "formats", "gdalinfo --formats | grep -q HDF5")


FUNCTIONS: tuple[Callable[[Room], None], ...] = (gs, gnuplot, sox, gstreamer, gdal)
