// Medians of several runs, with their spread.
export function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const mid = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[mid] :
		(sorted[mid - 1] + sorted[mid]) / 2;
}

export const spread = (values) =>
	({ median: median(values), low: Math.min(...values),
		high: Math.max(...values), values });

// The median's spread of each numeric property of several results.
export function summary(results) {
	const pick = (get) => spread(results.map(get));
	return {
		runs: results.length,
		rate: pick((r) => r.ok_rate),
		p50_ms: pick((r) => r.p50_us / 1000),
		p99_ms: pick((r) => r.p99_us / 1000),
		cpu_us: Object.fromEntries(Object.keys(results[0].cpu_us ?? {})
			.map((name) => [name, pick((r) => r.cpu_us[name])])),
		memory_mb: Math.max(...results.map((r) => r.memory_mb ?? 0)),
		worker_mb: Math.max(...results.map((r) => r.worker_mb ?? 0)),
		not_ok: results.reduce((sum, r) => sum + r.answers - r.ok.n, 0),
	};
}
