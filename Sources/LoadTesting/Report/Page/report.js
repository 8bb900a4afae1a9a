"use strict";

// Reads the plots out: the moment under the pointer, or under the arrow keys, in all plots of one axis at once.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  const fixed = (number, digits) => number.toFixed(digits);
  const grouped = (number, digits = 0) =>
    number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const significant = (number) => fixed(number, number < 9.995 ? 2 : number < 99.95 ? 1 : 0);
  const amount = (number) => grouped(number, number < 10 && !Number.isInteger(number) ? 1 : 0);

  const units = {
    time: (us) =>
      us < 999.5 ? `${fixed(us, us < 10 && !Number.isInteger(us) ? 1 : 0)} µs`
        : us < 999500 ? `${significant(us / 1e3)} ms` : `${significant(us / 1e6)} s`,
    rate: (number) => `${amount(number)}/s`,
    count: amount,
    cores: (number) => fixed(number, 2),
    bytes: (bytes) => {
      const names = ["B", "KiB", "MiB", "GiB", "TiB"];
      let rank = 0;
      while (bytes >= 1023.5 && rank < names.length - 1) { bytes /= 1024; rank += 1; }
      return `${rank ? significant(bytes) : fixed(bytes, 0)} ${names[rank]}`;
    },
  };

  const clock = (seconds) => {
    const whole = Math.round(Math.abs(seconds));
    const two = (number) => String(number).padStart(2, "0");
    const text = whole < 3600
      ? `${Math.floor(whole / 60)}:${two(whole % 60)}`
      : `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
    return seconds < 0 && whole ? `-${text}` : text;
  };
  const share = (place) => `${(100 * (1 - 10 ** -place)).toFixed(Math.max(0, Math.min(6, Math.ceil(place) - 1)))} %`;

  const plots = [...document.querySelectorAll("figure.plot")].map((figure) => {
    const values = [...figure.querySelectorAll(".legend .value")];
    return {
      figure,
      ...data[figure.id],
      values,
      rest: values.map((value) => value.textContent),
      moment: figure.querySelector(".moment"),
      frame: figure.querySelector(".frame"),
      cursor: figure.querySelector(".cursor"),
    };
  });

  // The index of the nearest place; both axes ascend.
  const nearest = (places, at) => {
    let low = 0;
    let high = places.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (places[middle] < at) low = middle; else high = middle;
    }
    return at - places[low] < places[high] - at ? low : high;
  };

  const show = (from, at) => {
    for (const plot of plots) {
      if (plot.axis !== from.axis) continue;
      const part = (at - plot.first) / (plot.last - plot.first);
      plot.cursor.setAttribute("x1", `${part * 100}%`);
      plot.cursor.setAttribute("x2", `${part * 100}%`);
      plot.cursor.setAttribute("visibility", "visible");
      plot.moment.textContent = plot.axis === "time" ? `at ${clock(at)}` : `at ${share(at)}`;
      plot.lines.forEach((line, index) => {
        const near = line.x.length ? nearest(line.x, at) : -1;
        const reach = plot.axis === "time" ? Math.max(3, (plot.last - plot.first) / 100) : Infinity;
        const known = near >= 0 && line.y[near] != null && Math.abs(line.x[near] - at) <= reach;
        plot.values[index].textContent = known ? units[plot.unit](line.y[near]) : "–";
      });
    }
  };

  const hide = () => {
    for (const plot of plots) {
      plot.cursor.setAttribute("visibility", "hidden");
      plot.moment.textContent = "";
      plot.values.forEach((value, index) => { value.textContent = plot.rest[index]; });
    }
  };

  for (const plot of plots) {
    // Where there is a point: a moment between two is none.
    const snapped = (at) => {
      const places = plot.lines[0]?.x ?? [];
      return plot.axis === "time" && places.length ? places[nearest(places, at)] : at;
    };
    let at = plot.first;
    const point = (event) => {
      const box = plot.frame.getBoundingClientRect();
      const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      at = snapped(plot.first + part * (plot.last - plot.first));
      show(plot, at);
    };
    plot.frame.addEventListener("pointermove", point);
    plot.frame.addEventListener("pointerdown", point);
    plot.frame.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });
    plot.figure.addEventListener("blur", hide);
    plot.figure.addEventListener("keydown", (event) => {
      const step = (plot.axis === "time" ? 1 : 0.05) * (event.shiftKey ? 10 : 1);
      const to = { ArrowLeft: at - step, ArrowRight: at + step, Home: plot.first, End: plot.last }[event.key];
      if (event.key === "Escape") return hide();
      if (to === undefined) return;
      event.preventDefault();
      at = Math.min(plot.last, Math.max(plot.first, to));
      show(plot, at);
    });
  }
})();
