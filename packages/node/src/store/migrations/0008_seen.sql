DROP INDEX `messages_unread_timer`;--> statement-breakpoint
ALTER TABLE `messages` ADD `seen` integer DEFAULT true NOT NULL;--> statement-breakpoint
UPDATE `messages` SET `seen` = 0 WHERE `direction` = 'in' AND `kind` <> 'gone' AND NOT EXISTS (
	SELECT 1 FROM `settings` JOIN `messages` AS `mark` ON `mark`.`id` = `settings`.`value` AND `mark`.`contact` = `messages`.`contact`
	WHERE `settings`.`key` = 'seen.' || `messages`.`contact`
		AND (`messages`.`hlc_ms`, `messages`.`hlc_counter`, `messages`.`id`) <= (`mark`.`hlc_ms`, `mark`.`hlc_counter`, `mark`.`id`)
);--> statement-breakpoint
CREATE INDEX `messages_unseen` ON `messages` (`contact`,`hlc_ms`,`hlc_counter`,`id`,`sender`) WHERE seen = 0;