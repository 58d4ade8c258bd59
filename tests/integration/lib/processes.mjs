// What /proc tells.
import fs from 'node:fs';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The same in a race: it keeps no process alive.
export const late = (ms) =>
	new Promise((resolve) => setTimeout(resolve, ms).unref());

// Until condition() is truthy, which is then returned. The limit is for what
// never comes: on a busy machine seconds mean nothing.
export async function until(condition, what, ms = 60000) {
	const end = Date.now() + ms;
	for (;;) {
		const value = await condition();
		if (value)
			return value;
		if (Date.now() > end)
			throw new Error(`${what}: not within ${ms} ms`);
		await sleep(20);
	}
}

const read = (file) => {
	try {
		return fs.readFileSync(file, 'latin1');
	} catch {
		return '';
	}
};

export const pids = () => fs.readdirSync('/proc')
	.filter((name) => /^\d+$/.test(name)).map(Number);

function stat(pid) {
	const text = read(`/proc/${pid}/stat`);
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	return { state: fields[0], parent: Number(fields[1]),
		ticks: Number(fields[11]) + Number(fields[12]) };
}

// Processor time that it has used, ms: proc(5) counts hundredths of a second.
export const cpuTime = (pid) => stat(pid).ticks * 10;

export const alive = (pid) => {
	const { state } = stat(pid);
	return state !== '' && state !== 'Z' && state !== 'X';
};

export const children = (pid) => pids()
	.filter((child) => stat(child).parent === pid && alive(child));

export const threads = (pid) => {
	try {
		return fs.readdirSync(`/proc/${pid}/task`).length;
	} catch {
		return 0;
	}
};

// Open descriptors; undefined if this user may not see them.
export const descriptors = (pid) => {
	try {
		return fs.readdirSync(`/proc/${pid}/fd`).length;
	} catch (error) {
		return error.code === 'ENOENT' ? 0 : undefined;
	}
};

// Dead processes that their parent, one of these, has not buried.
export const zombies = (parents) => pids().filter((pid) => {
	const { state, parent } = stat(pid);
	return state === 'Z' && parents.includes(parent);
});

export const commandLine = (pid) =>
	read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
export const processName = (pid) => read(`/proc/${pid}/comm`).trim();

const statusValue = (pid, name) => Number(new RegExp(
	`^${name}:\\s+(\\d+)`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? 0);

// Resident memory in kB, without what is shared with other processes.
export const memory = (pid) => statusValue(pid, 'RssAnon');
// All of it; and what it may write to without asking for more.
export const resident = (pid) => statusValue(pid, 'VmRSS');
export const writable = (pid) => statusValue(pid, 'VmData');

// Processes that have something to do with a directory: their command line or
// environment names it, or they work in it.
export function processesOf(dir) {
	return pids().filter((pid) => {
		if (pid === process.pid || !alive(pid))
			return false;
		let cwd = '';
		try {
			cwd = fs.readlinkSync(`/proc/${pid}/cwd`);
		} catch { /* gone, or another's */ }
		return `${cwd}/`.startsWith(`${dir}/`) ||
			read(`/proc/${pid}/cmdline`).includes(dir) ||
			read(`/proc/${pid}/environ`).includes(dir);
	});
}

// Those of them that stay: whoever is about to end is given time.
export async function leftBehind(dir) {
	await until(() => processesOf(dir).length === 0, '', 10000)
		.catch(() => {});
	return processesOf(dir).map((pid) => ({ pid, name: processName(pid) }));
}

export function signal(pid, name) {
	if (!pid)		// 0 would be ourselves
		throw new Error(`${name} for no process`);
	try {
		process.kill(pid, name);
	} catch (error) {
		if (error.code !== 'ESRCH')
			throw error;
	}
}
