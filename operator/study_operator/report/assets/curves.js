// Training curves of an arm's best trials: a colour and a shape for each trial, solid for validation, dashed for training.

/** The pictures that the arms' curves can show, as titles. */
const curveTitles = [...new Set(data.curves.flatMap(({pictures}) => pictures.map(({title}) => title)))];

const curves = (plot, view) => {
  const picture = plot.pictures.find(({title}) => title === (view.picture ?? curveTitles[0])) ?? {title: '', metrics: []};
  const lines = plot.trials.flatMap((trial, place) => picture.metrics
    .filter(({name}) => trial.curves[name])
    .map(({name, training}) => ({trial: trial.name, best: name === metric ? trial.best : null, place, name, training, steps: trial.curves[name][0], values: trial.curves[name][1]})));
  const everyStep = lines.flatMap(({steps}) => steps);
  const x = valueAxis(plot.trials.every(({steps}) => steps) ? 'step' : 'evaluation', [0, ...everyStep], false);
  const y = valueAxis(picture.title, lines.flatMap(({values}) => values), view.logarithmic);
  const marks = plot.marks.filter((mark) => picture.metrics.some(({name}) => name === mark.metric));
  const steps = [...new Set(marks.map(({step}) => step))];
  const marking = {
    silent: true, symbol: ['none', 'none'], lineStyle: {color: color('quiet'), width: 1.5, type: 'solid'},
    label: {show: true, formatter: ({name}) => name, color: color('ink'), fontWeight: 'bold', fontSize: 13},
    data: steps.map((step) => ({name: marks.filter((mark) => mark.step === step).map(({finding}) => `F${finding}`).join(', '), xAxis: x.at(step)})),
  };
  const marked = {
    silent: true, itemStyle: {color: color('caution'), opacity: 0.12}, data: steps.map((step) => [{xAxis: x.at(step)}, {xAxis: x.to}]),
  };
  const ring = (place) => ({symbolSize: 12, itemStyle: {color: color('ground'), borderColor: curveColor(place), borderWidth: 2.5}});
  const series = lines.map(({trial, best, place, name, training, steps: at, values}, line) => ({
    type: 'line', connectNulls: true, z: training ? 2 : 4 - place / 3,
    data: at.map((step, point) => ({value: [x.at(step), within(y, values[point])], ...(step === best && !nothing(best) ? ring(place) : {})})),
    symbol: shape(place), symbolSize: 6, showSymbol: !training, showAllSymbol: true, itemStyle: {color: curveColor(place)},
    lineStyle: {color: curveColor(place), width: training ? 1.5 : 2.2, type: training ? [6, 4] : 'solid', opacity: training ? 0.8 : 1},
    tooltip: {formatter: ({dataIndex}) => tooltip(trial, [['rank in its arm', String(place + 1)], [x.name, short(at[dataIndex])], [name, short(values[dataIndex])]])},
    ...(line ? {} : {markLine: marking, markArea: marked}),
  }));
  const best = lines.filter(({training}) => !training).map(({trial, values}) => {
    const known = values.filter((value) => !nothing(value));
    return `${trial} ends at ${short(known[known.length - 1])}`;
  });
  return {
    option: {...base(), grid: grid({top: 24}), xAxis: drawnAxis(x, 'x'), yAxis: drawnAxis(y, 'y'), series},
    summary: lines.length ? `${best.join('; ') || `${picture.metrics.map(({name}) => name).join(', ')}`}.${marks.map(({finding, step}) => ` F${finding} begins at ${x.name} ${step}.`).join('')}` : 'No curves of this metric were kept.',
    key: plot.trials.map(({name}, place) => ({name: `${place + 1}. ${name}`, color: curveColor(place), path: shapePath(place), dash: 'solid'})),
    table: {headings: ['Trial', 'Metric', x.name, 'Value'], rows: lines.flatMap(({trial, name, steps, values}) => steps.map((step, point) => [trial, name, step, values[point]]))},
  };
};
