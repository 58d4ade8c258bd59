/*
 * The demo page: starts payments, watches them by the module that any shop's
 * page would use, and shows the last events. Without the demo server
 * (STRIPEHOOK_DEMO) it shows commands, and watches what one names.
 */
import { watchStatus } from '/stripehook-status.js';

const $ = (id) => document.getElementById(id);

// An element with properties, and children: elements or texts.
function el(tag, properties, ...children) {
	const node = Object.assign(document.createElement(tag), properties);
	node.append(...children);
	return node;
}

/* ---- what states mean ---- */

// state: [tone, title, explanation]
const PAYMENT = {
	pending: ['wait', 'Waiting', 'The payer has not paid yet.'],
	requires_action: ['wait', '3-D Secure', 'The payer’s bank asks the payer to confirm.'],
	processing: ['wait', 'Processing', 'The money is on its way. That takes days; here, seconds.'],
	authorized: ['ok', 'Authorized', 'The money is reserved, and can be captured.'],
	succeeded: ['ok', 'Paid', 'The payment has succeeded.'],
	failed: ['bad', 'Declined', 'The same payment can be tried again.'],
	canceled: ['bad', 'Canceled', 'Nobody will pay this any more.'],
};
const SUBSCRIPTION = {
	incomplete: ['wait', 'Incomplete', 'It waits for the first payment.'],
	incomplete_expired: ['bad', 'Expired', 'The first payment never came.'],
	trialing: ['ok', 'On trial', 'Nothing is to be paid yet.'],
	active: ['ok', 'Active', 'It is paid for.'],
	past_due: ['bad', 'Past due', 'The last payment failed; Stripe tries again.'],
	unpaid: ['bad', 'Unpaid', 'Stripe has given up trying.'],
	paused: ['wait', 'Paused', 'The trial is over, and there is no card.'],
	canceled: ['bad', 'Canceled', 'It has ended.'],
};
const UNKNOWN = ['wait', 'Waiting', 'No event of it has come yet.'];

function meaning(status) {
	// What is known has a time.
	if (status.state === 'pending' && !status.updated_at)
		return UNKNOWN;
	return (status.object === 'subscription' ? SUBSCRIPTION :
		PAYMENT)[status.state] ?? ['wait', status.state, ''];
}

function money({ amount, currency }) {
	if (amount === undefined || !currency)
		return '';
	const format = new Intl.NumberFormat(undefined,
		{ style: 'currency', currency });
	return format.format(amount /
		10 ** format.resolvedOptions().maximumFractionDigits);
}

const day = (seconds) => new Date(seconds * 1000)
	.toLocaleDateString(undefined, { dateStyle: 'medium', timeZone: 'UTC' });

/* ---- live ---- */

let watching = new AbortController();
let current;		// what is watched
let began;
let busyUntil = 0;

function showHero(status) {
	const [tone, title, text] = meaning(status);
	$('hero').dataset.tone = tone;
	$('state').textContent = title;
	$('detail').textContent = status.failure?.message ?? text;
	$('amount').textContent ||= money(status);
	const { failure } = status;
	const facts = {
		Reason: failure && [failure.code, failure.decline_code]
			.filter(Boolean).join(', '),
		Plan: status.plan?.id ?? status.plan,
		'Period ends': status.current_period_end &&
			day(status.current_period_end),
		Ends: status.cancel_at_period_end && 'at the end of the period',
		Id: status.id,
	};
	$('facts').replaceChildren(...Object.entries(facts)
		.filter(([, value]) => value)
		.flatMap(([name, value]) => [el('dt', {}, name),
			el('dd', { className: /Id|Plan|Reason/.test(name) ? 'id' : '' },
				value)]));
}

function addStep(tone, text, more) {
	const after = (Date.now() - began) / 1000;
	const item = el('li', {}, el('b', {}, text),
		el('time', {}, `+${after.toFixed(1)} s`));
	item.dataset.tone = tone;
	if (more)
		item.append(el('small', {}, more));
	$('timeline').append(item);
}

// One state of one of the watched objects.
function showState(watch, status) {
	const [tone, title, text] = meaning(status);
	if (watch.main)
		showHero(status);
	// That nothing has come is no event.
	if (text === UNKNOWN[2])
		return;
	const name = current.length > 1 ? `${watch.name}: ` : '';
	const { failure, current_period_end: end } = status;
	let label = title;
	let more = failure?.message ?? '';
	if (title === watch.title)
		label = failure ? `${title} again` :
			end === watch.end ? '' : 'Renewed';
	if (end && tone === 'ok' && end !== watch.end) {
		more = `Until ${day(end)}`;
		watch.end = end;
	}
	watch.title = title;
	if (label !== '') {
		addStep(tone, name + label, more);
		$('said').textContent = `${name}${label}. ${more || text}`;
	}
	// A subscription costs what was last paid for it.
	if (!watch.main)
		$('amount').textContent = money(status);
	document.title = `${$('state').textContent} · stripehook demo`;
}

function showEnd(text, offer) {
	$('over').textContent = text;
	$('over').hidden = false;
	$('again').hidden = !offer;
}

async function follow(watch, signal, timeout) {
	const status = await watchStatus(watch.id, {
		secret: watch.secret, token: watch.token, timeout, signal,
		onState: (state) => signal.aborted || showState(watch, state),
	});
	if (!watch.main || signal.aborted)
		return;
	if (status.timedOut)
		showEnd('Nothing new for a while, which is no failure: ' +
			'the state is the last one known.', true);
	else
		showEnd('This is final, so the page has stopped watching.');
}

// Watches objects, the main one of which is shown large.
function watchAll(list, timeout = 60000) {
	watching.abort();
	watching = new AbortController();
	const { signal } = watching;
	current = list;
	began = Date.now();
	$('timeline').replaceChildren();
	$('over').hidden = $('again').hidden = true;
	$('amount').textContent = '';
	showHero({ id: list[0].id, state: 'pending' });
	addStep('idle', 'Started');
	$('hero').scrollIntoView({ block: 'nearest' });
	for (const watch of list)
		follow(watch, signal, timeout).catch((error) => {
			if (!signal.aborted)
				showEnd(error.message, error.status === undefined);
		});
}

/* ---- commands ---- */

let program = 'var/build/stripehookctl';
let own = [];		// commands for what was started

async function copy(button, code) {
	try {
		await navigator.clipboard.writeText(code.textContent);
	} catch {
		// Not on http from another machine: the old way.
		getSelection().selectAllChildren(code);
		document.execCommand('copy');
	}
	button.textContent = 'Copied';
	$('said').textContent = 'Copied';
	setTimeout(() => {
		button.textContent = 'Copy';
	}, 1500);
}

function commandItem({ what, command }) {
	const code = el('code', {}, ...command.split(' ')
		.flatMap((word) => [el('i', {}, word), ' ']).slice(0, -1));
	const button = el('button', { type: 'button' }, 'Copy');
	button.setAttribute('aria-label', `Copy ${command}`);
	button.addEventListener('click', () => copy(button, code));
	return el('li', {}, el('span', {}, what), button, code);
}

// As long as it is, without a break within a word.
const breakable = (type) => type.split(/(?<=[._])/)
	.flatMap((part) => [part, el('wbr')]);

const chosen = () => document.querySelector('input[name=scenario]:checked');

function showCommands() {
	const { value, dataset } = chosen();
	$('course').parentElement.hidden = false;
	$('course').replaceChildren(...dataset.course.split(', ')
		.map((state) => el('li', {}, state)));
	$('commands-note').textContent = own.length > 0 ?
		'These act on what is watched above. What is final stays so, whatever comes late.' :
		'In the directory of this checkout:';
	$('commands').replaceChildren(...[
		...own.length > 0 ? own : [{ what: 'The same, made by hand',
			command: `${program} trigger --lifecycle ${value} --connections 1 --rate 1` }],
		{ what: 'From Stripe’s test mode, while scripts/listen runs',
			command: `stripe trigger ${dataset.cli}` },
	].map(commandItem));
	$('help').replaceChildren(...[
		{ what: 'The last payments’ ids', command:
			`${program} events --type 'payment_intent.*' --limit 5` },
		{ what: 'A token for one, or for a subscription', command:
			`${program} token ID` },
	].map(commandItem));
}

/* ---- start ---- */

async function ask(path, options) {
	const answer = await fetch(path, { cache: 'no-store', ...options });
	const json = await answer.json();
	if (!answer.ok)
		throw new Error(json.error.message);
	return json;
}

// What there is to watch of a started payment: a subscription first.
function watchesOf(told) {
	const payments = [];
	if (told.id)
		payments.push({ id: told.id, secret: told.client_secret });
	payments.push(...told.renewals.map(({ id, client_secret: secret }) =>
		({ id, secret })));
	payments.forEach((watch, i) => {
		watch.name = i === 0 ? 'Payment' : 'Renewal';
	});
	const list = told.token ? [{ id: told.subscription, token: told.token,
		name: 'Subscription' }, ...payments] : payments;
	list[0].main = true;
	return list;
}

async function start(event) {
	event.preventDefault();
	try {
		const told = await ask('/demo/payments', { method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify({ scenario: chosen().value }) });
		own = told.commands;
		busyUntil = Date.now() + told.lasts_ms + 5000;
		watchAll(watchesOf(told), told.lasts_ms + 60000);
		showCommands();
		refresh();
	} catch (error) {
		showEnd(`It did not start: ${error.message}`);
	}
}

function watchOther(event) {
	event.preventDefault();
	const id = $('id').value.trim();
	const credential = $('credential').value.trim();
	const kind = credential.startsWith('sht1.') ? 'token' : 'secret';
	own = [];
	showCommands();
	$('course').parentElement.hidden = true;
	watchAll([{ id, [kind]: credential, main: true }]);
}

/* ---- last events ---- */

const TONES = { processed: 'ok', failed: 'bad' };
let known;		// ids of the events shown
let timer;

function eventRow(event) {
	const badge = el('span', { className: 'badge' }, event.status);
	badge.dataset.tone = TONES[event.status] ?? 'wait';
	const at = new Date(event.received).toLocaleTimeString();
	const type = el('td', { title: event.id }, ...breakable(event.type),
		el('small', { className: 'at' }, at));
	if (event.error)
		type.append(el('small', {}, event.error));
	return el('tr', { className: known && !known.has(event.id) ? 'new' : '' },
		el('td', {}, at), type, el('td', { title: event.object }, event.object),
		el('td', {}, badge), el('td', { className: 'number' },
			event.ms === null ? '–' : event.ms.toFixed(1)));
}

function showEvents({ events, fault }) {
	const ids = events.map(({ id }) => id);
	if (!known || ids.some((id) => !known.has(id))) {
		$('events').replaceChildren(...events.map(eventRow));
		known = new Set(ids);
	}
	$('list').hidden = events.length === 0;
	$('none').hidden = events.length > 0;
	$('fault').hidden = !fault;
	$('fault').textContent = fault ?? '';
}

function setDemo(on) {
	$('go').hidden = !on;
	if (!on && $('off').hidden)
		$('other').open = true;
	$('off').hidden = on;
	if (!on)
		$('none').textContent = 'scripts/sql shows them: SELECT * FROM ' +
			'admin_webhook_events';
}

// Often while something happens; never while nobody looks.
async function refresh() {
	clearTimeout(timer);
	let wait = Date.now() < busyUntil ? 700 : 4000;
	try {
		const answer = await ask('/demo/events');
		if (program !== answer.program) {
			({ program } = answer);
			showCommands();
		}
		showEvents(answer);
		setDemo(true);
	} catch {
		setDemo(false);
		wait = 30000;
	}
	clearTimeout(timer);
	if (!document.hidden)
		timer = setTimeout(refresh, wait);
}

$('start').addEventListener('submit', start);
$('start').addEventListener('change', () => {
	own = [];
	showCommands();
});
$('watch').addEventListener('submit', watchOther);
$('again').addEventListener('click', () => watchAll(current));
document.addEventListener('visibilitychange', () => document.hidden || refresh());
showCommands();
refresh();
