CREATE TABLE `transfers` (
	`id` text NOT NULL,
	`direction` text NOT NULL,
	`contact` text NOT NULL,
	`device` text NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`manifest` blob NOT NULL,
	`place` text NOT NULL,
	`bytes` integer NOT NULL,
	`moved` integer NOT NULL,
	`sha256` text,
	`path` text,
	`told` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`id`, `direction`)
);
