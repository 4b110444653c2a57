// Draw the charts of a page from their specifications, and again when width or colours change.
(() => {
  const themes = JSON.parse(document.getElementById("themes").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const plots = [...document.querySelectorAll(".plot")];
  const AXIS = 86; // pixels beside the panels of a column of plots: numbers and titles of the axis

  const parsed = (plot) => JSON.parse(plot.querySelector("script").textContent);

  // Plots that stand one below the other cannot be told a whole width, only that of each panel.
  const fitted = (spec, width) => {
    // Names that stand in a plot end in an ellipsis where they have no room.
    for (const { mark } of spec.layer ?? []) if (mark.limit) mark.limit = width - 20;
    if (spec.vconcat)
      return { ...spec, vconcat: spec.vconcat.map((each) => ({ ...each, width: Math.max(120, width - AXIS) })) };
    return { ...spec, width, autosize: { type: "fit-x", contains: "padding" } };
  };

  const embedded = (place, spec, config) =>
    vegaEmbed(place, spec, {
      mode: "vega-lite", renderer: "svg", actions: false, config,
      // Expressions are interpreted, so that a page works where a policy forbids eval.
      ast: true, defaultStyle: false, tooltip: { disableDefaultStyle: true, theme: "page" },
    });

  const save = async (plot, type) => {
    const spec = { ...parsed(plot), background: "white" };
    const { view } = await embedded(document.createElement("div"), spec, { ...themes.light, background: "white" });
    const link = document.createElement("a");
    link.href = await view.toImageURL(type, type === "png" ? 3 : 1);
    link.download = `${plot.dataset.file}.${type}`;
    link.click();
    view.finalize();
  };

  const buttons = (plot) => {
    const line = document.createElement("p");
    line.className = "save";
    line.append("Save as ");
    for (const type of ["svg", "png"]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = type.toUpperCase();
      button.addEventListener("click", () => save(plot, type));
      line.append(button, " ");
    }
    plot.after(line);
  };

  const draw = async (plot) => {
    const width = plot.clientWidth;
    if (!width) return;
    plot.dataset.drawn = width;
    let place = plot.querySelector(".view");
    if (!place) {
      place = document.createElement("div");
      place.className = "view";
      plot.append(place);
      buttons(plot);
    }
    plot.view?.finalize();
    try {
      const { view } = await embedded(place, fitted(parsed(plot), width), themes[dark.matches ? "dark" : "light"]);
      plot.view = view;
      place.setAttribute("role", "img");
      place.setAttribute("aria-label", plot.dataset.label);
      place.querySelector("svg").setAttribute("aria-hidden", "true");
    } catch (error) {
      place.textContent = "The chart could not be drawn; the table has its numbers.";
      console.error(error);
    }
  };

  // What is far below is drawn when it comes near.
  const near = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen)
      if (isIntersecting && !target.dataset.drawn) draw(target);
  }, { rootMargin: "600px" });
  for (const plot of plots) near.observe(plot);

  const again = () => {
    for (const plot of plots) if (plot.dataset.drawn) draw(plot);
  };
  let waiting;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (plots.some((plot) => plot.dataset.drawn && plot.clientWidth !== Number(plot.dataset.drawn))) again();
    }, 150);
  });
  dark.addEventListener("change", again);
  addEventListener("beforeprint", () => {
    for (const plot of plots) if (!plot.dataset.drawn) draw(plot);
  });
})();
