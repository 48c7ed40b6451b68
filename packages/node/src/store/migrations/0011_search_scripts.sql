DROP TRIGGER `message_words_insert`;--> statement-breakpoint
DROP TRIGGER `message_words_forget`;--> statement-breakpoint
DROP TRIGGER `message_words_learn`;--> statement-breakpoint
DROP TABLE `message_words`;--> statement-breakpoint
CREATE VIRTUAL TABLE `message_words` USING fts5(words, content='', tokenize="unicode61 remove_diacritics 0 categories 'L* N* M*'");--> statement-breakpoint
INSERT INTO `message_words`(`message_words`, `rank`) VALUES ('secure-delete', 1);--> statement-breakpoint
INSERT INTO `message_words`(`rowid`, `words`) SELECT `rowid`, search_text(`text`) FROM `messages` WHERE `text` <> '';--> statement-breakpoint
CREATE TRIGGER `message_words_insert` AFTER INSERT ON `messages` WHEN new.`text` <> '' BEGIN
	INSERT INTO `message_words`(`rowid`, `words`) VALUES (new.`rowid`, search_text(new.`text`));
END;--> statement-breakpoint
CREATE TRIGGER `message_words_forget` AFTER UPDATE OF `text` ON `messages` WHEN old.`text` <> '' AND old.`text` <> new.`text` BEGIN
	INSERT INTO `message_words`(`message_words`, `rowid`, `words`) VALUES ('delete', old.`rowid`, search_text(old.`text`));
END;--> statement-breakpoint
CREATE TRIGGER `message_words_learn` AFTER UPDATE OF `text` ON `messages` WHEN new.`text` <> '' AND old.`text` <> new.`text` BEGIN
	INSERT INTO `message_words`(`rowid`, `words`) VALUES (new.`rowid`, search_text(new.`text`));
END;
