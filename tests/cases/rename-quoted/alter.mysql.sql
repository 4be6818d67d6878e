RENAME COLUMN `to` TO `column`, CHANGE COLUMN `a ``b` `c, ``d` varchar(30)
