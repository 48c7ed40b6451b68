CREATE TABLE `annotation_order` (
	`position` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `proofs` (
	`message` text NOT NULL,
	`kind` text NOT NULL,
	`by` text NOT NULL,
	`key` blob NOT NULL,
	`statement` blob NOT NULL,
	`signature` blob NOT NULL,
	PRIMARY KEY(`message`, `kind`, `by`)
);
--> statement-breakpoint
INSERT INTO `annotation_order` (`id`) SELECT `id` FROM `annotations` ORDER BY `rowid`;
