// The picture of the heat (PNG): title, what is counted, map, legend, the first of the ranking, moment, scope, version.
(() => {
  const part = (window.gridwallHeat = window.gridwallHeat || {});
  const [WIDTH, HEIGHT] = [1920, 1080];
  const FIRST = 12; // areas listed beside the map

  /** Draw `told` = {title, lines, legend, rows, foot} with the chart; returns the canvas. */
  part.picture = (chart, told) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [WIDTH, HEIGHT];
    const context = canvas.getContext("2d");
    const { ground, text, heat, label } = window.gridwallMap.colours();
    const face = getComputedStyle(document.body).fontFamily;
    const write = (words, x, y, size, colour = text, most = WIDTH - 80) => {
      Object.assign(context, { font: `${size > 26 ? 700 : 400} ${size}px ${face}`, fillStyle: colour, textAlign: "left", textBaseline: "middle" });
      context.fillText(words, x, y, most);
    };
    context.fillStyle = ground;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    write(told.title, 40, 50, 36);
    told.lines.forEach((line, at) => write(line, 40, 96 + at * 32, 22, label));
    chart.onto(context, { x: 40, y: 170, width: 1240, height: 780 }, 20);
    told.legend.forEach(([step, words], at) => {
      const x = 40 + at * 150;
      context.fillStyle = heat[step];
      context.fillRect(x, 968, 40, 22);
      write(words, x + 48, 980, 20, label, 100);
    });
    told.rows.slice(0, FIRST).forEach((row, at) => {
      const y = 200 + at * 62;
      write(`${at + 1}. ${row.name}`, 1320, y, 22, text, 400);
      write(row.value, 1740, y, 24, text, 150);
      write(row.about, 1320, y + 27, 18, label, 560);
    });
    write(told.foot, 40, 1040, 20, label);
    return canvas;
  };

  part.save = (canvas, name) =>
    new Promise((done) => canvas.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = window.URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => window.URL.revokeObjectURL(link.href), 10000);
      done(blob.size);
    }, "image/png"));
})();
