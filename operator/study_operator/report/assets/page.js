// The page: draws each picture when it comes near the window, and redraws it when its section or the theme changes.

const lookUp = (list) => (id) => list.find((plot) => plot.id === id);
const kinds = {
  isolation: {draw: isolation, of: lookUp(data.isolation)},
  range: {draw: range, of: lookUp(data.isolation)},
  confirmation: {draw: confirmation, of: () => data.confirmation},
  axis: {draw: axis, of: lookUp(data.axes)},
  curves: {draw: curves, of: lookUp(data.curves)},
  'best-of-m': {draw: bestOfM, of: () => data.bestOfM},
  parallel: {draw: parallel, of: () => data},
};

const LONGEST_TABLE = 500;
/** Widths of pictures on paper, in pixels. */
const PAPER = {full: 680, half: 330};
const objectiveCurves = data.curves.flatMap(({trials}) => trials.flatMap(({curves: kept}) => kept[metric]?.[1] ?? []));
const logarithmic = spread(columns.objective);
/** How each section is seen. */
const views = {
  arms: {logarithmic: spread(data.isolation[0].groups.flatMap(({best, expected}) => [best, expected]))},
  confirmation: {logarithmic: false},
  axes: {logarithmic, plain: false},
  curves: {logarithmic: spread(objectiveCurves)},
  points: {logarithmic, plain: false},
  trials: {logarithmic, plain: false},
};

const figures = [...document.querySelectorAll('.chart')].map((box) => {
  const figure = box.closest('figure'), section = box.closest('section').id;
  return {box, figure, section, kind: kinds[box.dataset.kind], chart: null, drawn: null, near: false, stale: true};
});

const parallelFigure = figures.find(({box}) => box.dataset.kind === 'parallel');

const legend = (entries) => element('p', entries.map(({name, arm}) => {
  const swatch = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const shape = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  swatch.setAttribute('viewBox', '0 0 10 10');
  swatch.setAttribute('class', 'swatch');
  swatch.setAttribute('aria-hidden', 'true');
  shape.setAttribute('d', ['M5 0A5 5 0 1 1 5 10A5 5 0 1 1 5 0', 'M5 0L10 5L5 10L0 5Z', 'M5 0L10 10L0 10Z', 'M0 0H10V10H0Z'][arm % 8] ?? 'M1 3H9V7H1Z');
  shape.setAttribute('fill', armColor(arm));
  swatch.append(shape);
  return element('span', [swatch, name]);
}));

const draw = (figure) => {
  const plot = figure.kind.of(figure.box.dataset.id);
  const view = views[figure.section], full = figure.figure.classList.contains('full');
  const width = view.printing ? (full ? PAPER.full : PAPER.half) : figure.box.clientWidth;
  figure.drawn = figure.kind.draw(plot, {...view, width});
  if (figure.drawn.height) figure.box.style.height = `${figure.drawn.height}px`;
  figure.chart ??= echarts.init(figure.box, null, {renderer: 'canvas', devicePixelRatio: Math.max(2, devicePixelRatio)});
  figure.chart.setOption(figure.drawn.option, {notMerge: true});
  figure.figure.querySelector('.summary').textContent = figure.drawn.summary;
  figure.figure.querySelector('.key')?.remove();
  if (figure.drawn.key?.length) {
    const key = legend(figure.drawn.key);
    key.className = 'key';
    figure.box.before(key);
  }
  const numbers = figure.figure.querySelector('.data');
  numbers.hidden = !figure.drawn.table;
  if (numbers.open) tabulate(figure);
};

const tabulate = ({figure, drawn}) => {
  const {headings, rows} = drawn.table;
  const head = element('thead', [element('tr', headings.map((heading) => element('th', heading, {scope: 'col'})))]);
  const body = element('tbody', rows.slice(0, LONGEST_TABLE).map((row) => element('tr', row.map((value) => element('td', short(value))))));
  const caption = rows.length > LONGEST_TABLE ? [element('caption', `The first ${LONGEST_TABLE} of ${rows.length} rows.`)] : [];
  const box = element('div', [element('table', [...caption, head, body])], {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'The numbers of the picture'});
  const numbers = figure.querySelector('.data');
  numbers.replaceChildren(numbers.firstElementChild, box);
};

/** Draw what was drawn and can be seen; what is elsewhere follows when it comes near the window. */
const redraw = (section) => figures.filter((figure) => figure.chart && (!section || figure.section === section)).forEach((figure) => {
  figure.stale = true;
  freshen(figure);
});

const freshen = (figure) => {
  if (!figure.near || !figure.stale) return;
  const first = !figure.chart;
  figure.stale = false;
  draw(figure);
  if (figure !== parallelFigure) return;
  if (first) listenToBrush(figure);
  showBrush();
};

const near = new IntersectionObserver((entries) => entries.forEach(({isIntersecting, target}) => {
  const figure = figures.find(({box}) => box === target);
  figure.near = isIntersecting;
  freshen(figure);
}), {rootMargin: '300px'});

/* Brushing */
const table = trialTable();
const brushed = (position) => {
  const axis = parallelFigure.drawn.axes[position], filter = filters.get(position);
  if (!filter) return [];
  const end = (bound, otherwise) => (Number.isFinite(bound) ? axis.numeric ? axis.at(dimensions[position].layout || bound > 0 || !views.trials.logarithmic ? bound : 0) ?? otherwise : bound : otherwise);
  return [[end(filter[0], axis.min), end(filter[1], axis.max)]];
};
let quiet = false;
const shown = new Set();
/** Show the filters on the axes. Each action draws all lines anew, so only for axes where something is, or was. */
const showBrush = () => {
  quiet = true;
  new Set([...shown, ...filters.keys()]).forEach((position) => parallelFigure.chart.dispatchAction({type: 'axisAreaSelect', parallelAxisId: `axis-${position}`, intervals: brushed(position)}));
  quiet = false;
  shown.clear();
  for (const position of filters.keys()) shown.add(position);
};
const fillFields = rangeFields(() => {
  if (parallelFigure.chart) showBrush();
  table.update();
});
const listenToBrush = ({chart}) => {
  chart.on('axisareaselected', ({parallelAxisId, intervals}) => {
    if (quiet) return;
    const position = Number(parallelAxisId.slice('axis-'.length)), axis = parallelFigure.drawn.axes[position];
    if (intervals.length) filters.set(position, [0, 1].map((end) => axis.value(intervals[0][end])));
    else filters.delete(position);
    shown.add(position);
    fillFields();
    table.update();
  });
};
byId('clear').addEventListener('click', () => {
  filters.clear();
  for (const id of ['search', 'state', 'arm']) byId(id).value = '';
  fillFields();
  if (parallelFigure.chart) showBrush();
  table.update();
});

/* Toolbars */
for (const bar of document.querySelectorAll('.toolbar')) {
  const section = bar.dataset.for, view = views[section];
  bar.hidden = false;
  for (const button of bar.querySelectorAll('button')) {
    const subject = button.textContent, own = button.dataset.toggle === 'hyperparameter';
    const label = () => {
      const straight = own ? view.plain : !view.logarithmic;
      const scale = straight ? 'linear' : own && section !== 'points' ? 'as searched' : 'logarithmic';
      button.textContent = `${subject}: ${scale}`;
    };
    button.addEventListener('click', () => {
      if (own) view.plain = !view.plain;
      else view.logarithmic = !view.logarithmic;
      label();
      redraw(section);
    });
    label();
  }
}
const picker = byId('picture-of-curves');
picker.append(...curveTitles.map((title) => element('option', title)));
picker.addEventListener('input', () => {
  views.curves.picture = picker.value;
  redraw('curves');
});

/* Tables on demand, sizes, print */
for (const figure of figures) {
  near.observe(figure.box);
  figure.figure.querySelector('.data').addEventListener('toggle', ({target}) => {
    if (!target.open) return;
    figure.drawn ??= figure.kind.draw(figure.kind.of(figure.box.dataset.id), {...views[figure.section], width: figure.box.clientWidth});
    tabulate(figure);
  });
}
new ResizeObserver((entries) => entries.forEach(({target}) => figures.find(({box}) => box === target)?.chart?.resize())).observe(document.body);
addEventListener('resize', () => figures.forEach(({chart}) => chart?.resize()));
followTheme(() => redraw());

/** On paper: light, everything drawn at once, as wide as the page. */
let theme;
const allViews = (printing) => Object.values(views).forEach((view) => { view.printing = printing; });
addEventListener('beforeprint', () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = 'light';
  document.querySelectorAll('.caveats, .source').forEach((details) => { details.open = true; });
  allViews(true);
  for (const figure of figures) {
    draw(figure);
    const full = figure.figure.classList.contains('full');
    figure.chart.resize({width: full ? PAPER.full : PAPER.half, height: figure.drawn.height ?? (full ? 250 : 210)});
    figure.chart.getZr().flush(); // now: there is no other frame before the print
  }
});
addEventListener('afterprint', () => {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  allViews(false);
  for (const figure of figures) {
    figure.chart.resize({width: 'auto', height: 'auto'});
    figure.stale = true;
    freshen(figure);
  }
});
document.documentElement.dataset.ready = 'yes';
