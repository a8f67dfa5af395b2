// The plane the map is drawn on: degrees to path units and back. It is the base map's: its tile matrix (web Mercator, or
// degrees as EPSG:4490 has them) and its datum (shapes and marks are moved for GCJ-02 tiles here and nowhere else).
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const WORLD = 256 * 2 ** 13; // world width in path units: pixels at zoom 13
  const ROUNDS = 8; // of the inverse shift; each gains more than two digits
  const [SEMI_MAJOR, ECCENTRICITY] = [6378245, 0.00669342162296594323]; // Krasovsky 1940, as geo/datum.py
  const [WEST, SOUTH, EAST, NORTH] = [72.004, 0.8293, 137.8347, 55.8271];
  const RADIANS = Math.PI / 180;

  let degrees = false; // the matrix is of degrees, not Mercator
  let shifted = false; // the tiles are in GCJ-02

  // The same formula as geo/datum.py `_wgs84_to_gcj02`; a test compares them.
  function gcj02(lon, lat) {
    const [x, y, pi] = [lon - 105, lat - 35, Math.PI];
    const root = Math.sqrt(Math.abs(x));
    const ripple = 20 * Math.sin(6 * x * pi) + 20 * Math.sin(2 * x * pi);
    let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root;
    north += ((ripple + 20 * Math.sin(y * pi) + 40 * Math.sin((y / 3) * pi)) * 2) / 3;
    north += ((160 * Math.sin((y / 12) * pi) + 320 * Math.sin((y * pi) / 30)) * 2) / 3;
    let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root;
    east += ((ripple + 20 * Math.sin(x * pi) + 40 * Math.sin((x / 3) * pi)) * 2) / 3;
    east += ((150 * Math.sin((x / 12) * pi) + 300 * Math.sin((x / 30) * pi)) * 2) / 3;
    const radians = lat * RADIANS;
    const magic = 1 - ECCENTRICITY * Math.sin(radians) ** 2;
    const meridian = (SEMI_MAJOR * (1 - ECCENTRICITY)) / (magic * Math.sqrt(magic));
    const parallel = (SEMI_MAJOR / Math.sqrt(magic)) * Math.cos(radians);
    return [lon + (east * 180) / (parallel * pi), lat + (north * 180) / (meridian * pi)];
  }

  const inside = (lon, lat) => lon >= WEST && lon <= EAST && lat >= SOUTH && lat <= NORTH;

  // Where a WGS-84 place stands on the base map, in its degrees.
  function shown(lon, lat) {
    return shifted && inside(lon, lat) ? gcj02(lon, lat) : [lon, lat];
  }

  // The WGS-84 place that stands there.
  function meant(lon, lat) {
    if (!shifted || !inside(lon, lat)) return [lon, lat];
    let [x, y] = [lon, lat];
    for (let round = 0; round < ROUNDS; round += 1) {
      const [sx, sy] = gcj02(x, y);
      [x, y] = [x - (sx - lon), y - (sy - lat)];
    }
    return [x, y];
  }

  // WGS-84 degrees to path units.
  function project(lon, lat) {
    const [x, y] = shown(lon, lat);
    if (degrees) return [((x + 180) / 360) * WORLD, ((90 - y) / 360) * WORLD];
    const sin = Math.sin(y * RADIANS);
    return [((x + 180) / 360) * WORLD, (0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)) * WORLD];
  }

  // Path units to the base map's degrees: [longitude, latitude].
  function place(x, y) {
    const lon = (x / WORLD) * 360 - 180;
    if (degrees) return [lon, 90 - (y / WORLD) * 360];
    return [lon, Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / WORLD))) / RADIANS];
  }

  // Take over the plane of a base map before anything is drawn: matrix "mercator" or "degrees".
  function lay(map, { matrix, datum }) {
    degrees = matrix === "degrees";
    shifted = datum === "GCJ02";
    if (!degrees) return;
    const [centre, zoom] = [map.getCenter(), map.getZoom()];
    // 0.703125 degrees a pixel at zoom 1, from -180, 90: tile matrix "c"
    map.options.crs = L.extend({}, L.CRS.EPSG4326, { transformation: L.transformation(1 / 360, 0.5, -1 / 360, 0.25) });
    map.setView(centre, zoom, { animate: false, reset: true });
  }

  Object.assign(part, { WORLD, project, place, shown, meant, lay });
})();
