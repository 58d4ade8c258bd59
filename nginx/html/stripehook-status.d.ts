/** What the status route says of a payment, subscription, invoice, ... */
export interface Status {
	id: string;
	/** Like etag not there if nothing was ever heard (`timedOut`). */
	object?: "payment_intent" | "setup_intent" | "subscription" | "invoice" |
		"checkout.session";
	/**
	 * Of payments and setups: pending, requires_action, processing, authorized,
	 * succeeded, failed, canceled. Of the others: Stripe's own, see the README.
	 */
	state: string;
	/** Nothing more happens by itself. A failed payment may be tried again. */
	final: boolean;
	/** Names this state: pass it as `after` to wait for another one. */
	etag?: string;
	/** Set when the watch gave up: the state is the last one known. */
	timedOut?: true;
	/** The latest charge: another one after a retry. */
	attempt?: string;
	/** Seconds since 1970. */
	updated_at?: number;
	/** In the currency's minor unit. */
	amount?: number;
	currency?: string;
	failure?: {
		code?: string;
		decline_code?: string;
		/** Fit to be shown to the customer. */
		message?: string;
	};
	[more: string]: unknown;
}

export interface WatchOptions {
	/** The object's client_secret; or else: */
	secret?: string;
	/**
	 * A status token, or a function that fetches one from your server. It is
	 * called again when a token has expired.
	 */
	token?: string | (() => string | Promise<string>);
	/** stripehook's origin, "https://hooks.example.com"; "" is the page's. */
	base?: string;
	/** The `etag` of a state that is known already: only another one counts. */
	after?: string;
	/** Milliseconds after which it gives up, 60,000 if not set. */
	timeout?: number;
	/** Ends the watch early; the promise is then rejected with its reason. */
	signal?: AbortSignal;
	/** Called with each state that differs from the one before. */
	onState?: (status: Status) => void;
}

/** What can't get better by itself: a bad credential (401), a bad id (404). */
export interface StatusError extends Error {
	name: "StatusError";
	status: number;
	/** The code in stripehook's answer, such as "expired_token". */
	code?: string;
}

/**
 * Resolves with the final state, or, with `timedOut`, with the last one known
 * when the time is over; rejects with a StatusError, or when `signal` says so.
 */
export function watchStatus(id: string, options?: WatchOptions):
	Promise<Status>;
