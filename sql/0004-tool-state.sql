-- Where tools that can be interrupted go on.
CREATE TABLE IF NOT EXISTS tool_state (
	name VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	value VARCHAR(1024) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
