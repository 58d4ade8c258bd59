// A stand-in for Stripe's API on loopback: events and objects that a test puts
// there, and the ways in which the real one fails.
import http from 'node:http';
import { once } from 'node:events';

const PAGE_MAX = 100;
const LISTS = {
	'/v1/products': 'product', '/v1/prices': 'price',
	'/v1/customers': 'customer', '/v1/subscriptions': 'subscription',
	'/v1/invoices': 'invoice', '/v1/payment_intents': 'payment_intent',
	'/v1/charges': 'charge', '/v1/refunds': 'refund',
	'/v1/disputes': 'dispute', '/v1/setup_intents': 'setup_intent',
	'/v1/checkout/sessions': 'checkout.session',
	'/v1/invoice_payments': 'invoice_payment',
};

export class StripeApi {
	key = 'sk_test_integration';
	events = [];			// any order; listed newest first
	endpoints = [];			// webhook endpoints
	objects = new Map();		// id -> object
	denied = new Set();		// paths that the key may not read
	faults = [];			// each answers one request, but of the endpoints:
					// 429, 500, 'reset'
	requests = [];			// { path, query, headers, status }
	delay = 0;			// ms before each answer
	ready = () => {};		// what each answer waits for, by its path
	clock = () => Date.now();	// what the Date header tells

	async listen() {
		this.server = http.createServer(async (req, res) => {
			await this.ready(new URL(req.url, this.base).pathname);
			setTimeout(() => this.#answer(req, res), this.delay);
		});
		this.server.listen(0, '127.0.0.1');
		await once(this.server, 'listening');
		this.base = `http://127.0.0.1:${this.server.address().port}`;
		return this;
	}

	close() {
		this.server.closeAllConnections?.();
		this.server.close();
	}

	put(...objects) {
		for (const object of objects)
			this.objects.set(object.id, object);
	}

	asked(path) {
		return this.requests.filter((request) => request.path === path);
	}

	#answer(req, res) {
		const url = new URL(req.url, this.base);
		const entry = { path: url.pathname, query: url.searchParams,
			headers: req.headers };
		this.requests.push(entry);
		const fault = url.pathname === '/v1/webhook_endpoints' ?
			undefined : this.faults.shift();
		if (fault === 'reset') {
			entry.status = 'reset';
			req.socket.resetAndDestroy();
			return;
		}
		const [status, body, headers] = fault !== undefined ?
			this.#fault(fault) : this.#find(url, req);
		entry.status = status;
		res.sendDate = false;
		res.writeHead(status, { 'Content-Type': 'application/json',
			Date: new Date(this.clock()).toUTCString(),
			'Stripe-Version': '2025-08-27.basil', ...headers });
		res.end(JSON.stringify(body, null, 2));
	}

	#fault(status) {
		return [status, error('api_error', `made to answer ${status}`),
			status === 429 ? { 'Retry-After': '1' } : {}];
	}

	#find(url, req) {
		const { pathname, searchParams: query } = url;
		if (req.headers.authorization !== `Bearer ${this.key}`)
			return [401, error('invalid_request_error',
				'Invalid API Key provided: sk_test_****tion')];
		for (const path of this.denied)
			if (pathname.startsWith(path))
				return [403, error('invalid_request_error', 'The provided ' +
					'key does not have the required permissions')];
		if (pathname === '/v1/events')
			return this.#list(this.#eventsOf(query,
				req.headers['stripe-account']), query);
		if (pathname === '/v1/webhook_endpoints')
			return this.#list(this.endpoints, query);
		if (pathname in LISTS)
			return this.#list([...this.objects.values()].filter(
				({ object }) => object === LISTS[pathname]), query);
		const id = decodeURIComponent(pathname.split('/').at(-1));
		const found = this.objects.get(id) ??
			this.events.find((event) => event.id === id);
		return found ? [200, found] : [404, { error: {
			type: 'invalid_request_error', code: 'resource_missing',
			message: `No such object: '${id}'` } }];
	}

	// Those of a Connect account don't say so when asked for in its name.
	#eventsOf(query, account) {
		const types = query.getAll('types[]');
		if (types.length > 20)
			throw new Error('more than 20 types in a call');
		const from = Number(query.get('created[gte]') ?? 0);
		const until = Number(query.get('created[lte]') ?? Infinity);
		return this.events.filter((event) => event.account === account &&
			event.created >= from && event.created <= until &&
			(types.length === 0 || types.includes(event.type)))
			.sort((a, b) => b.created - a.created || (a.id < b.id ? 1 : -1))
			.map((event) => ({ ...event, account: undefined }));
	}

	#list(list, query) {
		const after = query.get('starting_after');
		const limit = Math.min(Number(query.get('limit') ?? 10), PAGE_MAX);
		const at = after === null ? 0 :
			list.findIndex(({ id }) => id === after) + 1;
		if (after !== null && at === 0)
			return [404, error('invalid_request_error', 'No such cursor')];
		return [200, { object: 'list', data: list.slice(at, at + limit),
			has_more: at + limit < list.length }];
	}
}

const error = (type, message) => ({ error: { type, message } });
