// The page: describes each picture at once, draws it when it comes near the window, and both anew when its section or
// the theme changes.

const lookUp = (list) => (id) => list.find((plot) => plot.id === id);
const kinds = {
  isolation: {draw: isolation, of: lookUp(data.isolation)},
  range: {draw: range, of: lookUp(data.isolation)},
  confirmation: {draw: confirmation, of: () => data.confirmation},
  importance: {draw: importance, of: () => data.importance},
  axis: {draw: axis, of: lookUp(data.axes)},
  curves: {draw: curves, of: lookUp(data.curves)},
  'best-of-m': {draw: bestOfM, of: () => data.bestOfM},
  parallel: {draw: parallel, of: () => data},
};

const LONGEST_TABLE = 500;
/** Widths of pictures on paper, in pixels. */
const PAPER = {full: 680, half: 330};
const objectiveCurves = data.curves.flatMap(({trials}) => trials.flatMap(({curves: kept}) => kept[metric]?.[1] ?? []));
const reruns = data.confirmation.flatMap(({values}) => values);
const isolated = data.isolation[0].groups.flatMap(({best, expected}) => [best, expected]);
const view = (values, extra) => ({possible: positive(values), logarithmic: spread(values), ...extra});
/** How each section is seen. */
const views = {
  arms: view(isolated), confirmation: {...view(reruns), logarithmic: false}, axes: view(columns.objective, {plain: false}),
  curves: view(objectiveCurves), points: view(columns.objective, {plain: false}), trials: view(columns.objective, {plain: false}),
};

const figures = [...document.querySelectorAll('.chart')].map((box) => {
  const figure = box.closest('figure'), section = box.closest('section').id;
  return {box, figure, section, kind: kinds[box.dataset.kind], chart: null, drawn: null, near: false, stale: true};
});

const parallelFigure = figures.find(({box}) => box.dataset.kind === 'parallel');

/** A line in its dash with the shape of its points, for the names of what is drawn. */
const swatch = ({color: drawn, path, dash}) => {
  const make = (name, attributes) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const picture = make('svg', {viewBox: '0 0 30 10', class: 'swatch', 'aria-hidden': 'true'});
  const dashes = dash === 'solid' ? {} : {'stroke-dasharray': dash.join(' ')};
  picture.append(make('path', {d: 'M0 5H30', stroke: drawn, 'stroke-width': 2, ...dashes}));
  if (path) picture.append(make('path', {d: path, fill: drawn, transform: 'translate(10 0)'}));
  return picture;
};
const legend = (entries) => element('p', entries.map((entry) => element('span', [swatch(entry), entry.name])), {class: 'key'});

/** Words, legend and height, for all pictures from the start: a picture that is drawn later moves nothing on the page. */
const describe = (figure) => {
  const plot = figure.kind.of(figure.box.dataset.id), frame = figure.box.parentElement;
  const view = views[figure.section], full = figure.figure.classList.contains('full');
  const width = view.printing ? (full ? PAPER.full : PAPER.half) : frame.clientWidth;
  figure.drawn = figure.kind.draw(plot, {...view, width});
  figure.width = width;
  figure.stale = true;
  if (figure.drawn.height) figure.box.style.height = `${figure.drawn.height}px`;
  figure.box.style.width = figure.drawn.width > width && !view.printing ? `${figure.drawn.width}px` : '';
  if (figure.box.style.width) frame.tabIndex = 0; // what is scrolled can be scrolled by keys
  else frame.removeAttribute('tabindex');
  figure.figure.querySelector('.summary').textContent = figure.drawn.summary;
  figure.figure.querySelector('.key')?.remove();
  if (figure.drawn.key?.length) frame.before(legend(figure.drawn.key));
  const numbers = figure.figure.querySelector('.data');
  numbers.hidden = !figure.drawn.table;
  if (numbers.open) tabulate(figure);
};

const draw = (figure) => {
  figure.stale = false;
  figure.chart ??= echarts.init(figure.box, null, {renderer: 'canvas', devicePixelRatio: Math.max(2, devicePixelRatio)});
  if (!views[figure.section].printing) figure.chart.resize();
  figure.chart.setOption(figure.drawn.option, {notMerge: true});
};

const tabulate = ({figure, drawn}) => {
  const {headings, rows} = drawn.table, title = figure.querySelector('h3').textContent;
  const caption = rows.length > LONGEST_TABLE ? `${title}: the first ${LONGEST_TABLE} of ${rows.length} rows` : title;
  const cell = (value, column) => (column ? element('td', short(value)) : element('th', short(value), {scope: 'row'}));
  const head = element('thead', [element('tr', headings.map((heading) => element('th', heading, {scope: 'col'})))]);
  const body = element('tbody', rows.slice(0, LONGEST_TABLE).map((row) => element('tr', row.map(cell))));
  const box = element('div', [element('table', [element('caption', caption), head, body])], {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${title}: numbers`});
  const numbers = figure.querySelector('.data');
  numbers.replaceChildren(numbers.firstElementChild, box);
};

/** Draw anew what can be seen; what is elsewhere follows when it comes near the window. */
const redraw = (section) => figures.filter((figure) => !section || figure.section === section).forEach((figure) => {
  describe(figure);
  freshen(figure);
});

const freshen = (figure) => {
  if (!figure.near || !figure.stale) return;
  const first = !figure.chart;
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
const curved = [...data.hyperparameters, ...data.axes].some(({scale}) => ['Log', 'ReverseLog'].includes(scale));
for (const bar of document.querySelectorAll('.toolbar')) {
  const section = bar.dataset.for, view = views[section];
  bar.hidden = false;
  for (const box of bar.querySelectorAll('input')) {
    const own = box.dataset.toggle === 'hyperparameter', field = own ? 'plain' : 'logarithmic';
    box.checked = view[field];
    box.parentElement.hidden = own ? section !== 'points' && !curved : !view.possible;
    box.addEventListener('change', () => {
      view[field] = box.checked;
      redraw(section);
    });
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
  describe(figure);
  near.observe(figure.box);
  figure.figure.querySelector('.data').addEventListener('toggle', ({target}) => {
    if (target.open && figure.drawn.table) tabulate(figure);
  });
}
new ResizeObserver(() => {
  if (views.axes.printing) return;
  figures.filter(({box, width}) => box.parentElement.clientWidth !== width).forEach((figure) => {
    describe(figure);
    freshen(figure);
  });
}).observe(document.body);
followTheme(() => redraw());

/** On paper: light, everything drawn at once, as wide as the page. */
let theme, closed;
const allViews = (printing) => Object.values(views).forEach((view) => { view.printing = printing; });
addEventListener('beforeprint', () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = 'light';
  closed = [...document.querySelectorAll('.caveats, .source, .more')].filter(({open}) => !open);
  closed.forEach((details) => { details.open = true; });
  allViews(true);
  for (const figure of figures) {
    describe(figure);
    draw(figure);
    const full = figure.figure.classList.contains('full');
    figure.chart.resize({width: full ? PAPER.full : PAPER.half, height: figure.drawn.height ?? (full ? 250 : 210)});
    figure.chart.getZr().flush(); // now: there is no other frame before the print
  }
});
addEventListener('afterprint', () => {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  closed.forEach((details) => { details.open = false; });
  allViews(false);
  for (const figure of figures) {
    describe(figure);
    figure.chart.resize({width: 'auto', height: 'auto'});
    freshen(figure);
  }
});

/* Commands that can be pasted */
for (const button of document.querySelectorAll('.copy')) {
  const text = button.nextElementSibling;
  button.hidden = false;
  button.addEventListener('click', async () => {
    getSelection().selectAllChildren(text); // also where the browser refuses the clipboard
    const copied = await navigator.clipboard?.writeText(text.textContent).then(() => true, () => false);
    byId('copied').textContent = copied ? 'Copied.' : 'Selected: copy it with the keyboard.';
    button.textContent = copied ? 'Copied' : 'Selected';
  });
}
document.documentElement.dataset.ready = 'yes';
