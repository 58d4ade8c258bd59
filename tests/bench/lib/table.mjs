// Tables as plain text and as Markdown.

// columns: headings; the first one is left-aligned. rows: of texts.
export function table(columns, rows) {
	const all = [columns, ...rows].map((row) => row.map(String));
	const widths = columns.map((_, i) =>
		Math.max(...all.map((row) => [...row[i]].length)));
	const pad = (cell, i) => {
		const space = ' '.repeat(widths[i] - [...cell].length);
		return i === 0 ? cell + space : space + cell;
	};
	const print = (row) => row.map(pad).join('  ').trimEnd();
	return [print(all[0]), widths.map((w) => '-'.repeat(w)).join('  '),
		...all.slice(1).map(print)].join('\n') + '\n';
}

export const markdown = (columns, rows) => [
	`| ${columns.join(' | ')} |`,
	`|---|${'---:|'.repeat(columns.length - 1)}`,
	...rows.map((row) => `| ${row.join(' | ')} |`),
].join('\n') + '\n';
