// The pictures but for curves and parallel coordinates. Each is made of the report's data and of how its section is to be
// seen (`view.logarithmic` for what was measured, `view.plain` for hyperparameters), and gives the chart's option, a
// sentence that says what it shows, and its numbers as a table.

const data = JSON.parse(document.getElementById('data').textContent);
const metric = data.objective.metric;
const trialName = (index) => `${data.study}-${index}`;
const several = data.arms.length > 1;

const still = matchMedia('(prefers-reduced-motion: reduce)');

const base = () => ({animation: false, textStyle: {fontFamily: letters, fontSize: 13, color: color('ink')}, tooltip: {
  trigger: 'item', confine: true, transitionDuration: still.matches ? 0 : 0.2, backgroundColor: color('ground'), borderColor: color('line'), padding: [6, 10],
  textStyle: {color: color('ink'), fontSize: 13}, extraCssText: 'box-shadow: 0 2px 8px rgb(0 0 0 / .25)',
}});

/** A scale's axis as an axis of the chart, which is plain. */
const drawnAxis = (axis, side) => ({
  type: 'value', name: axis.name, nameLocation: 'middle', nameGap: side === 'x' ? 28 : 52, min: axis.min, max: axis.max,
  nameTextStyle: {color: color('quiet'), fontSize: 13}, axisLine: {show: true, onZero: false, lineStyle: {color: color('quiet')}},
  axisTick: {show: true, customValues: axis.ticks, lineStyle: {color: color('quiet')}},
  axisLabel: {customValues: axis.ticks, formatter: axis.text, color: color('quiet'), fontSize: 12, hideOverlap: true},
  splitLine: {show: false},
});

const grid = (extra = {}) => ({left: 68, right: 20, top: 16, bottom: 46, ...extra});

/** Points with a shape of their arm. */
const points = (arm, items, extra = {}) => ({
  type: 'scatter', data: items, symbol: shape(arm), symbolSize: 9,
  itemStyle: {color: armColor(arm), opacity: items.length > 300 ? 0.55 : 0.85}, ...extra,
});

/** A whisker from `low` to `high` at the height `row`, moved by `shift` pixels. */
const whiskers = (items) => ({
  type: 'custom', data: items.map(({row, low, high, arm, shift = 0}) => [row, low, high, arm, shift]), encode: {x: [1, 2], y: 0}, z: 1,
  silent: true,
  renderItem: (_, api) => {
    const [row, low, high, arm, shift] = [0, 1, 2, 3, 4].map((dimension) => api.value(dimension));
    const [left, middle] = api.coord([low, row]), [right] = api.coord([high, row]), y = middle + shift;
    const style = {stroke: armColor(arm), lineWidth: 2, fill: 'none'};
    const bar = (x1, y1, x2, y2) => ({type: 'line', shape: {x1, y1, x2, y2}, style});
    return {type: 'group', children: [bar(left, y, right, y), bar(left, y - 6, left, y + 6), bar(right, y - 6, right, y + 6)]};
  },
});

/** Rows that are named beside the picture, or above each where that would leave it no room. */
const rowNames = (labels, width) => {
  const narrow = width < 560, longest = Math.max(0, ...labels.map((label) => label.length));
  const beside = narrow ? 16 : Math.min(280, 36 + 8.2 * longest);
  const place = narrow ? {inside: true, align: 'left', verticalAlign: 'bottom', padding: [0, 0, 22, 0], width: width - 40} : {width: beside - 24};
  return {
    grid: grid({left: beside, top: 10}), height: (rows) => 72 + (narrow ? 84 : 56) * rows,
    axis: {
      type: 'category', data: labels, inverse: true, axisLine: {show: false}, axisTick: {show: false}, z: 4,
      axisLabel: {color: color('ink'), fontSize: 13, lineHeight: 16, overflow: 'break', ...place},
      splitLine: {show: true, lineStyle: {color: color('line')}},
    },
  };
};

const isolation = (plot, view) => {
  const groups = plot.groups;
  const axis = valueAxis(metric, groups.flatMap(({best, expected, low, high}) => [best, expected, low, high]), view.logarithmic);
  const rows = groups.map((group, row) => ({...group, row}));
  const tip = (group, what, value) => tooltip(group.label, [
    [what, short(value)], ['95% interval', nothing(group.low) ? '' : `${short(group.low)} to ${short(group.high)}`],
    ['trials', short(group.trials)], ['infeasible', short(group.infeasible)],
  ]);
  const series = (what, pick, extra) => rows.map((group) => ({
    ...points(group.color, [[axis.at(pick(group)), group.row]], extra(group)), tooltip: {formatter: () => tip(group, what, pick(group))},
  }));
  const [first] = groups, names = rowNames(groups.map(({label}) => (label === 'all' ? 'all trials' : label)), view.width);
  const reached = first && `${short(first.expected)} expected and ${short(first.best)} reached`;
  return {
    option: {
      ...base(), grid: names.grid, xAxis: drawnAxis(axis, 'x'), yAxis: names.axis,
      series: [
        whiskers(rows.filter(({low}) => !nothing(low)).map(({row, low, high, color: arm}) => ({row, arm, low: within(axis, low), high: within(axis, high)}))),
        ...series(`expected best of ${plot.m}`, ({expected}) => expected, (group) => ({symbol: 'circle', symbolSize: 11, itemStyle: {color: color('ground'), borderColor: armColor(group.color), borderWidth: 2.5}})),
        ...series('best', ({best}) => best, () => ({symbolSize: 14})),
      ],
    },
    summary: first ? `Filled: the best trial${groups.length > 1 ? ' of each' : ''}. Hollow, with its 95% interval: the expected best of ${plot.m} trials. ${groups.length > 1 ? `${first.label} is ahead, with ${reached}` : `Here ${reached}`}.` : 'No trial has a result.',
    height: names.height(groups.length),
    table: {
      headings: [plot.hyperparameter ?? 'Arm', `Best ${metric}`, `Expected best of ${plot.m}`, '95% interval', 'Trials', 'Infeasible'],
      rows: groups.map((group) => [group.label, group.best, group.expected, nothing(group.low) ? '' : `${short(group.low)} to ${short(group.high)}`, group.trials, group.infeasible]),
    },
  };
};

const range = (plot, view) => {
  const x = hyperparameterAxis(plot, view.plain), y = valueAxis(metric, plot.objective, view.logarithmic);
  const items = plot.value.map((value, row) => ({value: [x.at(value), y.at(plot.objective[row])], row})).filter(({value}) => !value.includes(null));
  return {
    option: {
      ...base(), grid: grid(), xAxis: drawnAxis(x, 'x'), yAxis: drawnAxis(y, 'y'),
      series: [{...points(plot.arm, items), tooltip: {formatter: ({data: {row}}) => tooltip(plot.trial[row], [[plot.hyperparameter, short(plot.value[row])], [metric, short(plot.objective[row])]])}}],
    },
    summary: `The best trial in each tenth of the range of ${plot.hyperparameter}.`,
    table: {headings: ['Trial', plot.hyperparameter, metric], rows: plot.value.map((value, row) => [plot.trial[row], value, plot.objective[row]])},
  };
};

const confirmation = (configurations, view) => {
  const axis = valueAxis(metric, configurations.flatMap(({values, searched}) => [...values, searched]), view.logarithmic);
  const names = rowNames(configurations.map(({label, arm}) => (several ? `${label}, ${data.arms[arm]}` : label)), view.width);
  const tip = (title, what, value) => tooltip(title, [[what, short(value)]]);
  /** Reruns that are equal would hide each other. */
  const apart = (count, place) => [0, (place - (count - 1) / 2) * Math.min(7, 30 / count)];
  const rows = configurations.map((configuration, row) => ({...configuration, row}));
  return {
    option: {
      ...base(), grid: names.grid, xAxis: drawnAxis(axis, 'x'), yAxis: names.axis,
      series: rows.flatMap(({label, arm, values, mean, searched, row}) => [
        {...points(arm, values.map((value, place) => ({value: [within(axis, value), row], symbolOffset: apart(values.length, place)}))), tooltip: {formatter: ({dataIndex}) => tip(label, `rerun ${dataIndex + 1}`, values[dataIndex])}},
        {...points(arm, [[within(axis, mean), row]], {symbol: 'rect', symbolSize: [3, 42]}), tooltip: {formatter: () => tip(label, 'mean', mean)}},
        {...points(arm, [[within(axis, searched), row]], {symbol: 'circle', symbolSize: 12, itemStyle: {color: 'transparent', borderColor: color('quiet'), borderType: 'dashed', borderWidth: 1.5}}), tooltip: {formatter: () => tip(label, 'in the search', searched)}},
      ]),
    },
    summary: `${configurations.map(({label, mean, values}) => `${label}: ${nothing(mean) ? 'no result' : `${short(mean)} on average over ${values.length}`}`).join('; ')}. Bars are means; a dashed ring is the score in the search, which has no part in the decision.`,
    height: names.height(configurations.length),
    table: {headings: ['Configuration', 'In the search', 'Mean', 'Reruns'], rows: configurations.map(({label, searched, mean, values}) => [label, searched, mean, values.map(short).join(', ')])},
  };
};

/** Each hyperparameter's share of the differences between trials, the largest on top, a point for each arm. */
const importance = (arms, view) => {
  const known = arms.flatMap(({arm, hyperparameters, share, low, high}, line) => hyperparameters.map((name, place) => ({
    arm, name, share: share[place], low: low[place], high: high[place], shift: (line - (arms.length - 1) / 2) * 9,
  })));
  const most = (name) => Math.max(...known.filter((one) => one.name === name).map(({share}) => share));
  const order = [...new Set(known.map(({name}) => name))].sort((one, other) => most(other) - most(one));
  const items = known.map((one) => ({...one, row: order.indexOf(one.name)})), percent = (part) => `${Math.round(100 * part)}%`;
  const axis = {...numericAxis('share of the differences between trials', linear, 0, 1), text: percent};
  const names = rowNames(order, view.width), tall = Math.max(40, 14 + 9 * arms.length);
  const tip = ({name, arm, share, low, high}) => tooltip(name, [['arm', several ? data.arms[arm] : ''], ['explains', percent(share)], ['90% interval', `${percent(low)} to ${percent(high)}`]]);
  return {
    option: {
      ...base(), grid: names.grid, xAxis: drawnAxis(axis, 'x'), yAxis: names.axis,
      series: [whiskers(items), ...items.map((one) => ({
        ...points(one.arm, [{value: [one.share, one.row], symbolOffset: [0, one.shift]}], {symbolSize: 10}), tooltip: {formatter: () => tip(one)},
      }))],
    },
    summary: `How much of the differences between the trials' ranks each hyperparameter explains, with a 90% interval. ${order.slice(0, 3).map((name) => `${name}: ${percent(most(name))}`).join('; ')}${several ? ' at most in an arm' : ''}.`,
    key: several ? arms.map(({arm}) => ({name: data.arms[arm], color: armColor(arm), path: shapePath(arm), dash: 'solid'})) : [],
    height: names.height(0) + (view.width < 560 ? 30 + tall : tall) * order.length,
    table: {
      headings: ['Hyperparameter', 'Arm', 'Share', 'Low', 'High'],
      rows: items.sort((one, other) => one.row - other.row).map(({name, arm, share, low, high}) => [name, data.arms[arm], share, low, high]),
    },
  };
};

/** The parts of the axis that findings speak of: beyond a bound, or the outer tenth at an end of the range. */
const marked = (plot, axis) => ['min', 'max'].flatMap((side) => {
  const marks = plot.marks.filter((mark) => mark.side === side), tenth = (axis.to - axis.from) / 10;
  const end = side === 'max' ? axis.to : axis.from, inwards = side === 'max' ? -tenth : tenth;
  const inner = ({at}) => (Math.abs(axis.at(at) - end) < tenth / 100 ? end + inwards : axis.at(at));
  return marks.map((mark, place) => [
    {name: place ? '' : marks.map(({finding}) => `F${finding}`).join(', '), xAxis: inner(mark)}, {xAxis: side === 'max' ? axis.max : axis.min},
  ]);
});

/** Integers that are apart from each other: their trials, and those of a choice, are strewn so that all can be seen. */
const FEW_INTEGERS = 20;
/** From -1/2 to 1/2, the same for the same trial. */
const scatter = (index) => ((index * 0.6180339887) % 1) - 0.5;

const axis = (plot, view) => {
  const x = hyperparameterAxis(plot, view.plain), y = valueAxis(metric, plot.objective, view.logarithmic);
  const loose = x.numeric && !(plot.integer && plot.max - plot.min <= FEW_INTEGERS) ? 0 : 0.4 * (plot.integer && x.numeric ? (x.to - x.from) / (plot.max - plot.min) : 1);
  const rows = plot.value.map((value, row) => ({row, at: x.at(value) + loose * scatter(plot.index[row]), objective: plot.objective[row], rank: plot.rank[row]}));
  const room = (y.max - y.min) * 0.08, worst = data.objective.minimize ? y.max + room / 2 : y.min - room / 2;
  const feasible = rows.filter(({objective}) => !nothing(objective)), infeasible = rows.filter(({objective}) => nothing(objective));
  const item = ({row, at, objective}) => ({value: [at, nothing(objective) ? worst : within(y, objective)], row});
  const tip = {formatter: ({data: {row}}) => tooltip(trialName(plot.index[row]), [
    [plot.hyperparameter, short(plot.value[row])], [metric, nothing(plot.objective[row]) ? 'infeasible' : short(plot.objective[row])],
    ['rank in its arm', plot.rank[row] ? String(plot.rank[row]) : ''],
  ])};
  const best = feasible.filter(({rank}) => rank).sort((one, other) => other.rank - one.rank);
  const areas = x.numeric ? marked(plot, x) : [];
  return {
    option: {
      ...base(), grid: grid({top: areas.length ? 26 : 10}), xAxis: drawnAxis(x, 'x'),
      yAxis: {...drawnAxis(y, 'y'), ...(infeasible.length ? {[data.objective.minimize ? 'max' : 'min']: worst + (data.objective.minimize ? room / 2 : -room / 2)} : {})},
      series: [
        {...points(plot.arm, feasible.filter(({rank}) => !rank).map(item)), tooltip: tip, markArea: {
          silent: true, data: areas, itemStyle: {color: color('caution'), opacity: 0.16},
          label: {color: color('ink'), position: 'top', fontWeight: 'bold', fontSize: 13},
        }},
        {...points(plot.arm, infeasible.map(item), {symbol: 'path://M0,0L10,10M10,0L0,10', symbolSize: infeasible.length > 50 ? 6 : 9, itemStyle: {color: 'transparent', borderColor: color('bad'), borderWidth: infeasible.length > 50 ? 1.2 : 2}}), tooltip: tip},
        {...points(plot.arm, best.map((one) => ({...item(one), label: {formatter: () => String(one.rank)}})), {
          symbolSize: 20, z: 5, itemStyle: {color: armColor(plot.arm), borderColor: color('ink'), borderWidth: 2, opacity: 1},
          label: {show: true, color: color('ground'), fontWeight: 'bold', fontSize: 11},
        }), tooltip: tip},
      ],
    },
    summary: `${rows.length} trials, ${infeasible.length} infeasible.${best.length ? ` The best ${best.length === 1 ? 'is' : `${best.length} are`} at ${[...best].reverse().map(({row}) => short(plot.value[row])).join(', ')}.` : ''}`,
    table: {
      headings: ['Trial', plot.hyperparameter, metric, 'Rank in its arm'],
      rows: rows.map(({row, objective, rank}) => [trialName(plot.index[row]), plot.value[row], nothing(objective) ? 'infeasible' : objective, rank || '']),
    },
  };
};

/** What lies between two curves, its edges in the dash of the arm. */
const band = (arm, xs, lows, highs) => ({
  type: 'custom', data: [[xs[0], lows[0]]], silent: true, z: 1, clip: true,
  renderItem: (_, api) => {
    const [below, above] = [lows, highs].map((ends) => xs.map((x, place) => api.coord([x, ends[place]])));
    const edge = (points) => ({type: 'polyline', shape: {points}, style: {stroke: armColor(arm), lineWidth: 1, lineDash: armDash(arm), fill: 'none', opacity: 0.7}});
    return {type: 'group', children: [
      {type: 'polygon', shape: {points: [...below, ...[...above].reverse()]}, style: {fill: armColor(arm), opacity: 0.12}}, edge(below), edge(above),
    ]};
  },
});

const bestOfM = (arms, view) => {
  const x = numericAxis('trials of an arm (m)', view.plain ? linear : log, 1, Math.max(2, ...arms.flatMap(({m}) => m)));
  const lowest = Math.min(...arms.flatMap(({expected}) => expected));
  // an interval may reach down to nothing, for which a logarithmic axis would have to be endless
  const ends = arms.flatMap(({low, high}) => [...low, ...high]).filter((end) => !view.logarithmic || end > lowest / 3);
  const y = valueAxis(metric, [...arms.flatMap(({expected}) => expected), ...ends], view.logarithmic);
  const cut = view.logarithmic && arms.some(({low}) => low.some((end) => !nothing(end) && end <= lowest / 3));
  const series = arms.flatMap(({arm, m, expected, low, high}) => {
    const known = m.map((_, place) => place).filter((place) => !nothing(low[place]));
    const xs = known.map((place) => x.at(m[place]));
    const bands = known.length > 1 ? [band(arm, xs, known.map((place) => within(y, low[place])), known.map((place) => within(y, high[place])))] : [];
    return [...bands, {
      type: 'line', data: m.map((count, place) => [x.at(count), within(y, expected[place])]), symbol: shape(arm), symbolSize: 7, showSymbol: true,
      itemStyle: {color: armColor(arm)}, lineStyle: {color: armColor(arm), type: armDash(arm), width: 2.5}, z: 3,
      tooltip: {formatter: ({dataIndex}) => tooltip(data.arms[arm], [['trials', short(m[dataIndex])], [metric, short(expected[dataIndex])],
        ['95% interval', nothing(low[dataIndex]) ? '' : `${short(low[dataIndex])} to ${short(high[dataIndex])}`]])},
    }];
  });
  const told = arms.map(({arm, m, expected}) => {
    const last = m.length - 1, name = several ? `${data.arms[arm]}: ` : '';
    return `${name}${short(expected[0])} with one trial, ${short(expected[last])} with ${m[last]}`;
  });
  return {
    option: {...base(), grid: grid(), xAxis: drawnAxis(x, 'x'), yAxis: drawnAxis(y, 'y'), series},
    summary: `What a search of m trials is expected to reach, with 95% intervals as far as they can be trusted${cut ? ', cut off at the lower edge' : ''}. ${told.join('; ')}.`,
    key: several ? arms.map(({arm}) => ({name: data.arms[arm], color: armColor(arm), path: shapePath(arm), dash: armDash(arm)})) : [],
    table: {headings: ['Arm', 'm', `Expected ${metric}`, 'Low', 'High'], rows: arms.flatMap(({arm, m, expected, low, high}) => m.map((count, place) => [data.arms[arm], count, expected[place], low[place], high[place]]))},
  };
};
