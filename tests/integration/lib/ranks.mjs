// Whether two samples come from one distribution.

export function median(sample) {
	const sorted = Float64Array.from(sample).sort();
	const half = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[half] :
		(sorted[half - 1] + sorted[half]) / 2;
}

// The rank test of Mann and Whitney: how many standard deviations the sum of
// a's ranks lies off what equal distributions give. Beyond 5 is no chance (6 in
// ten million); the size of an effect doesn't matter, if samples are many.
export function rankTest(a, b) {
	const all = [...a.map((value) => ({ value, mine: true })),
		...b.map((value) => ({ value, mine: false }))]
		.sort((x, y) => x.value - y.value);
	const n = all.length;
	let sum = 0;
	let ties = 0;
	for (let i = 0, end; i < n; i = end) {
		for (end = i; end < n && all[end].value === all[i].value;)
			end++;
		ties += (end - i) ** 3 - (end - i);
		for (let k = i; k < end; k++)
			if (all[k].mine)
				sum += (i + end + 1) / 2;
	}
	const mean = a.length * (n + 1) / 2;
	const variance = a.length * b.length / 12 *
		(n + 1 - ties / (n * (n - 1)));
	return (sum - mean) / Math.sqrt(variance);
}
