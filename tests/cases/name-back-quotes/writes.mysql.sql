UPDATE `a``b````` SET `a``b````2` = 'w', `a``b````` = `a``b````` + 1000 WHERE `a``b````1` < 5;
DELETE FROM `a``b````` WHERE `a``b````1` = 7;
