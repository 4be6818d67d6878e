OWNER TO cases_owner
