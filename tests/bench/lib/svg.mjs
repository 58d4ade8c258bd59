// Plots as SVG, with axes, units and a caption: bars and lines.
const WIDTH = 860;
const FONT = 'font-family="system-ui,sans-serif"';
const COLOURS = ['#1b6ca8', '#d1495b', '#2a9d5c', '#e09f3e', '#7b4fa3',
	'#5c6b73', '#00a1a7', '#a0522d', '#333333', '#c2b280'];

const escape = (text) => String(text).replaceAll('&', '&amp;')
	.replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const text = (x, y, words, { size = 12, anchor = 'start', weight = 'normal',
	fill = '#222' } = {}) => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ` +
	`font-size="${size}" text-anchor="${anchor}" font-weight="${weight}" ` +
	`fill="${fill}">${escape(words)}</text>`;
const line = (x1, y1, x2, y2, stroke = '#ccc', width = 1) =>
	`<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" ` +
	`y2="${y2.toFixed(1)}" stroke="${stroke}" stroke-width="${width}"/>`;

export const number = (value) => value >= 1000 ?
	Math.round(value).toLocaleString('en-US') :
	value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) :
		Number(value.toFixed(2)).toString();

// Round numbers from 0 to just above max.
function ticks(max) {
	if (!(max > 0))
		return [0, 1];
	const rough = max / 6;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = [1, 2, 5, 10].find((n) => n * power >= rough) * power;
	return Array.from({ length: Math.ceil(max / step) + 1 },
		(_, i) => i * step);
}

function page(height, title, body, caption) {
	const foot = caption.map((words, i) =>
		text(16, height + 14 + 15 * i, words, { size: 10.5, fill: '#666' }));
	const all = height + 14 + 15 * caption.length;
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" ` +
		`height="${all}" viewBox="0 0 ${WIDTH} ${all}" ${FONT}>\n` +
		`<rect width="100%" height="100%" fill="#fff"/>\n` +
		text(16, 26, title, { size: 16, weight: 'bold' }) + '\n' +
		[...body, ...foot].join('\n') + '\n</svg>\n';
}

// rows: { label, value, low, high, note }. The whisker is the runs' spread.
export function bars({ title, unit, rows, caption }) {
	const left = 270;
	const right = WIDTH - 120;
	const top = 48;
	const step = 30;
	const bottom = top + step * rows.length;
	const marks = ticks(Math.max(...rows.map((r) => r.high ?? r.value)));
	const x = (value) => left + (right - left) * value / marks.at(-1);
	const body = marks.flatMap((mark) => [
		line(x(mark), top, x(mark), bottom),
		text(x(mark), bottom + 16, number(mark),
			{ anchor: 'middle', size: 11 }),
	]);
	rows.forEach((row, i) => {
		const y = top + step * i;
		const mid = y + step / 2;
		body.push(text(left - 8, mid + 4, row.label, { anchor: 'end' }),
			`<rect x="${left}" y="${y + 6}" height="${step - 12}" ` +
			`width="${(x(row.value) - left).toFixed(1)}" ` +
			`fill="${COLOURS[row.colour ?? 0]}"/>`);
		if (row.high !== undefined)
			body.push(line(x(row.low), mid, x(row.high), mid, '#111', 1.5),
				line(x(row.low), mid - 4, x(row.low), mid + 4, '#111', 1.5),
				line(x(row.high), mid - 4, x(row.high), mid + 4, '#111', 1.5));
		body.push(text(x(row.high ?? row.value) + 8, mid + 4,
			`${number(row.value)}${row.note ? ` ${row.note}` : ''}`,
			{ weight: 'bold' }));
	});
	body.push(text((left + right) / 2, bottom + 34, unit,
		{ anchor: 'middle' }));
	return page(bottom + 44, title, body, caption);
}

// series: { name, points: [[x, y, low, high]...] }; x equidistant where
// xTicks are given (1, 8, 64...), else proportional.
export function lines({ title, xLabel, yLabel, series, xTicks, caption }) {
	const [left, right, top, bottom] = [76, WIDTH - 250, 48, 380];
	const all = series.flatMap((s) => s.points);
	const yMarks = ticks(Math.max(...all.map((p) => p[3] ?? p[1])));
	const xMarks = xTicks ?? ticks(Math.max(...all.map((p) => p[0])));
	const x = (value) => xTicks ?
		left + (right - left) * xTicks.indexOf(value) /
			Math.max(1, xTicks.length - 1) :
		left + (right - left) * value / xMarks.at(-1);
	const y = (value) => bottom - (bottom - top) * value / yMarks.at(-1);
	const body = [
		...yMarks.flatMap((mark) => [line(left, y(mark), right, y(mark)),
			text(left - 8, y(mark) + 4, number(mark),
				{ anchor: 'end', size: 11 })]),
		...xMarks.map((mark) => text(x(mark), bottom + 18, number(mark),
			{ anchor: 'middle', size: 11 })),
		line(left, bottom, right, bottom, '#444'),
		line(left, top, left, bottom, '#444'),
		text((left + right) / 2, bottom + 38, xLabel, { anchor: 'middle' }),
		`<text transform="translate(18,${(top + bottom) / 2}) rotate(-90)" ` +
		`font-size="12" text-anchor="middle" fill="#222">` +
		`${escape(yLabel)}</text>`,
	];
	series.forEach((s, i) => {
		const colour = COLOURS[i % COLOURS.length];
		const path = s.points.map(([px, py]) =>
			`${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' ');
		body.push(`<polyline points="${path}" fill="none" ` +
			`stroke="${colour}" stroke-width="2"/>`);
		for (const [px, , low, high] of s.points)
			if (high !== undefined)
				body.push(line(x(px), y(low), x(px), y(high), colour, 1.5));
		body.push(line(right + 14, top + 10 + 20 * i, right + 34,
			top + 10 + 20 * i, colour, 3),
		text(right + 40, top + 14 + 20 * i, s.name));
	});
	return page(bottom + 48, title, body, caption);
}
