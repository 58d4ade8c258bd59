-- Currencies whose minor unit isn't a hundredth (docs.stripe.com/currencies):
-- an amount in minor units times unit is the amount in major ones. Those not
-- listed have two decimals; so do ISK and UGX, which Stripe's interface
-- takes with two decimals that are always 00.

CREATE TABLE IF NOT EXISTS currencies (
	currency VARCHAR(16) NOT NULL,
	exponent TINYINT NOT NULL,
	unit DECIMAL(4,3) NOT NULL,
	PRIMARY KEY (currency)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO currencies (currency, exponent, unit) VALUES
	('bif', 0, 1), ('clp', 0, 1), ('djf', 0, 1), ('gnf', 0, 1),
	('jpy', 0, 1), ('kmf', 0, 1), ('krw', 0, 1), ('mga', 0, 1),
	('pyg', 0, 1), ('rwf', 0, 1), ('vnd', 0, 1), ('vuv', 0, 1),
	('xaf', 0, 1), ('xof', 0, 1), ('xpf', 0, 1),
	('bhd', 3, 0.001), ('jod', 3, 0.001), ('kwd', 3, 0.001),
	('omr', 3, 0.001), ('tnd', 3, 0.001)
	ON DUPLICATE KEY UPDATE currency = VALUES(currency);
