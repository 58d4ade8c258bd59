// What a test asks the page to watch, it shows.
import { watchStatus } from '/stripehook-status.js';

const show = (id, text) => {
	document.getElementById(id).textContent = text;
};
let states = [];
let watching;

window.watch = (id, options) => {
	watching?.abort();
	watching = new AbortController();
	states = [];
	show('outcome', '…');
	watchStatus(id, { ...options, signal: watching.signal, onState(status) {
		window.latest = status;
		window.changedAt = Date.now();
		states.push(status.state);
		show('state', status.state);
		show('failure', status.failure?.message ?? '');
		show('states', states.join(' '));
		if (options.faulty)
			throw new Error('of the page');
	} }).then((status) => {
		show('outcome', status.state + (status.timedOut ? ', timed out' : ''));
	}, (error) => {
		if (error.name !== 'AbortError')
			show('outcome', `${error.status} ${error.code}`);
	});
};
window.isReady = true;
