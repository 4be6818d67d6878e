UPDATE `select` SET `select2` = 'w', `select` = `select` + 1000 WHERE `select1` < 5;
DELETE FROM `select` WHERE `select1` = 7;
