CREATE TABLE `file_words` (
	`id` text PRIMARY KEY NOT NULL,
	`contact` text NOT NULL,
	`transfer` text NOT NULL,
	`word` blob NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `file_words_transfer` ON `file_words` (`contact`,`transfer`);