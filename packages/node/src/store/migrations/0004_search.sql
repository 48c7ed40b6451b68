CREATE VIRTUAL TABLE `message_words` USING fts5(text, content='messages', content_rowid='rowid', tokenize='unicode61 remove_diacritics 2');--> statement-breakpoint
INSERT INTO `message_words`(`message_words`, `rank`) VALUES ('secure-delete', 1);--> statement-breakpoint
CREATE TRIGGER `message_words_insert` AFTER INSERT ON `messages` WHEN new.`text` <> '' BEGIN
	INSERT INTO `message_words`(`rowid`, `text`) VALUES (new.`rowid`, new.`text`);
END;--> statement-breakpoint
CREATE TRIGGER `message_words_forget` AFTER UPDATE OF `text` ON `messages` WHEN old.`text` <> '' AND old.`text` <> new.`text` BEGIN
	INSERT INTO `message_words`(`message_words`, `rowid`, `text`) VALUES ('delete', old.`rowid`, old.`text`);
END;--> statement-breakpoint
CREATE TRIGGER `message_words_learn` AFTER UPDATE OF `text` ON `messages` WHEN new.`text` <> '' AND old.`text` <> new.`text` BEGIN
	INSERT INTO `message_words`(`rowid`, `text`) VALUES (new.`rowid`, new.`text`);
END;--> statement-breakpoint
INSERT INTO `message_words`(`message_words`) VALUES ('rebuild');
