"""Opens a project with the system's PyQGIS, run by its own Python: what is wrong with it, and a picture of its sheet.

python3 tests/qgis_opens.py project.qgz sheet.png
"""

import json
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"
from qgis.core import Qgis, QgsApplication, QgsLayoutExporter, QgsProject, QgsVectorLayer

application = QgsApplication([], False)
application.initQgis()
heard = []
log = QgsApplication.messageLog()
log.messageReceived.connect(lambda text, tag, level: heard.append(f"{tag}: {text}") if level != Qgis.Info else None)
project = QgsProject.instance()
found = {"read": project.read(sys.argv[1]), "error": project.error(), "heard": heard}
layers = list(project.mapLayers().values())
found |= {"version": Qgis.QGIS_VERSION, "crs": project.crs().authid(), "ellipsoid": project.ellipsoid()}
found["invalid"] = [one.name() for one in layers if not one.isValid()]
found["layers"] = {one.name(): one.featureCount() for one in layers}
found["renderers"] = {one.name(): one.renderer().type() for one in layers}
found["groups"] = [one.name() for one in project.layerTreeRoot().children()]
found["shown"] = [one.name() for one in project.layerTreeRoot().checkedLayers()]
sheet = project.layoutManager().layoutByName("A3")
how = QgsLayoutExporter.ImageExportSettings()
how.dpi = 60
found["picture"] = QgsLayoutExporter(sheet).exportToImage(sys.argv[2], how) == QgsLayoutExporter.Success
package = sys.argv[1].replace("project.qgz", "layers.gpkg")
alone = QgsVectorLayer(f"{package}|layername=plan_sites", "alone", "ogr")
found["alone"] = [field.displayName() for field in alone.fields()]
found["alone_renderer"] = alone.renderer().type()
print(json.dumps(found))
