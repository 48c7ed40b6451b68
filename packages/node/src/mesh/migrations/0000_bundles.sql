CREATE TABLE `bundles` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`key` text NOT NULL,
	`bundle` blob NOT NULL,
	`received_at` integer NOT NULL,
	`hops` integer NOT NULL,
	`hop_limit` integer NOT NULL,
	`copies` integer NOT NULL,
	`source` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `bundles_key_unique` ON `bundles` (`key`);--> statement-breakpoint
CREATE TABLE `cures` (
	`key` blob PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `cures_expiry` ON `cures` (`expires_at`);