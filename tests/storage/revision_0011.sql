BEGIN TRANSACTION;
CREATE TABLE "actions" (
	token VARCHAR(255) NOT NULL, 
	line TEXT NOT NULL, 
	expires DATETIME NOT NULL, 
	question TEXT DEFAULT '' NOT NULL, 
	in_place BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_actions PRIMARY KEY (token)
);
INSERT INTO "actions" VALUES('act0001xxxxxxxxx','/worker start queue="erin_queue"','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0002xxxxxxxxx','/quiet 22:00-08:00 tz=Asia/Tokyo failures=now','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0003xxxxxxxxx','/quiet off','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0004xxxxxxxxx','/mute off','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0006xxxxxxxxx','/digest','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0007xxxxxxxxx','/digest off','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0008xxxxxxxxx','/unwatch queue=''be1e0823000000000000000000000013''','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0009xxxxxxxxx','/watching','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0010xxxxxxxxx','/unwatch project=''b54cda26000000000000000000000006''','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0012xxxxxxxxx','/set aa66d130000000000000000000000030','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0013xxxxxxxxx','/container aa66d130000000000000000000000030','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0014xxxxxxxxx','/enqueue aa66d130000000000000000000000030','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0015xxxxxxxxx','/diff id=aa66d130000000000000000000000030','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0016xxxxxxxxx','/clone aa66d130000000000000000000000030','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0017xxxxxxxxx','/set aa66d130000000000000000000000030 Args/backbone=','2098-12-31 23:00:00.000000','Args · backbone
str, network to train
Now: resnet50',0);
INSERT INTO "actions" VALUES('act0018xxxxxxxxx','/set aa66d130000000000000000000000030 Args/batch_size=','2098-12-31 23:00:00.000000','Args · batch_size
int, images per step
Now: 32',0);
INSERT INTO "actions" VALUES('act0019xxxxxxxxx','/set aa66d130000000000000000000000030 Args/epochs=','2098-12-31 23:00:00.000000','Args · epochs
int, passes over the data
Now: 3',0);
INSERT INTO "actions" VALUES('act0020xxxxxxxxx','/set aa66d130000000000000000000000030 Args/gpus=','2098-12-31 23:00:00.000000','Args · gpus
str, GPUs to train on, comma separated
Now: 0',0);
INSERT INTO "actions" VALUES('act0021xxxxxxxxx','/set aa66d130000000000000000000000030 Args/lr=','2098-12-31 23:00:00.000000','Args · lr
float, learning rate
Now: 0.05',0);
INSERT INTO "actions" VALUES('act0023xxxxxxxxx','/undo aa66d130000000000000000000000030','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0024xxxxxxxxx','/container aa66d130000000000000000000000030 image=','2098-12-31 23:00:00.000000','image
docker image; nothing for the worker''s own
Now: nvcr.io/nvidia/pytorch:25.09-py3',0);
INSERT INTO "actions" VALUES('act0025xxxxxxxxx','/container aa66d130000000000000000000000030 args=','2098-12-31 23:00:00.000000','arguments
of docker run, as -v /data:/data
Now: --ipc=host -v /data:/data',0);
INSERT INTO "actions" VALUES('act0026xxxxxxxxx','/container aa66d130000000000000000000000030 setup=','2098-12-31 23:00:00.000000','setup script
It may have several lines.
shell script, run in the container before the start',0);
INSERT INTO "actions" VALUES('act0027xxxxxxxxx','/clone ','2098-12-31 23:00:00.000000','experiment
Which experiment? Its id, a part of its name, or its web link.
id, beginning of an id, name, web link or “last”',0);
INSERT INTO "actions" VALUES('act0028xxxxxxxxx','/clone ','2098-12-31 23:00:00.000000','name
nothing for “Clone of …”',0);
INSERT INTO "actions" VALUES('act0029xxxxxxxxx','/clone ','2098-12-31 23:00:00.000000','experiment
Which experiment? Its id, a part of its name, or its web link.
id, beginning of an id, name, web link or “last”',0);
INSERT INTO "actions" VALUES('act0030xxxxxxxxx','/clone ','2098-12-31 23:00:00.000000','name
nothing for “Clone of …”',0);
INSERT INTO "actions" VALUES('act0047xxxxxxxxx','/log 8ff34739000000000000000000000009','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0048xxxxxxxxx','/plot 8ff34739000000000000000000000009','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0049xxxxxxxxx','/params id=8ff34739000000000000000000000009','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0050xxxxxxxxx','/retry 8ff34739000000000000000000000009','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0051xxxxxxxxx','/show aa66d130000000000000000000000030','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0061xxxxxxxxx','/find page=2','2098-12-31 23:00:00.000000','',1);
INSERT INTO "actions" VALUES('act0062xxxxxxxxx','/unwatch 2c15e5f1000000000000000000000041','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0064xxxxxxxxx','/worker restart lab:alice_queue:gpu1','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0065xxxxxxxxx','/worker stop lab:alice_queue:gpu1','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0066xxxxxxxxx','/worker drain lab:alice_queue:gpu1','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0067xxxxxxxxx','/worker log worker=lab:alice_queue:gpu1','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0072xxxxxxxxx','/check aa66d130000000000000000000000030','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0075xxxxxxxxx','/worker stop lab:alice_queue:gpu1 run=wait','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0076xxxxxxxxx','/worker stop lab:alice_queue:gpu1 run=requeue','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0077xxxxxxxxx','/worker stop lab:alice_queue:gpu1 run=abort','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0078xxxxxxxxx','/worker restart lab:alice_queue:gpu1 gpus=1 image=nvcr.io/x:2 run=wait','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0079xxxxxxxxx','/worker restart lab:alice_queue:gpu1 gpus=1 image=nvcr.io/x:2 run=requeue','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0080xxxxxxxxx','/worker restart lab:alice_queue:gpu1 gpus=1 image=nvcr.io/x:2 run=abort','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0087xxxxxxxxx','/worker start','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0088xxxxxxxxx','/worker','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0089xxxxxxxxx','/gpus','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0090xxxxxxxxx','/worker start gpus=0','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0091xxxxxxxxx','/worker start gpus=1','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0092xxxxxxxxx','/worker list','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0093xxxxxxxxx','/enqueue aa66d130000000000000000000000030 --force','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0094xxxxxxxxx','/worker consent c0ffee000200000000 no','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0095xxxxxxxxx','/worker consent c0ffee000400000000 no','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0096xxxxxxxxx','/worker consent c0ffee000600000000 no','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0099xxxxxxxxx','/worker consent c0ffee000200000000 share','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0100xxxxxxxxx','/worker consent c0ffee000200000000 handover','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0102xxxxxxxxx','/worker consent c0ffee000400000000 share','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0103xxxxxxxxx','/worker consent c0ffee000400000000 handover','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0105xxxxxxxxx','/worker consent c0ffee000600000000 share','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0106xxxxxxxxx','/worker consent c0ffee000600000000 handover','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0128xxxxxxxxx','/worker start queue=alice_queue,slow gpus=1 image=nvcr.io/nvidia/pytorch:25.09-py3','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0130xxxxxxxxx','/gpus watch 0','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0132xxxxxxxxx','/gpus unwatch 0','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0133xxxxxxxxx','/gpus watch','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0134xxxxxxxxx','/gpus unwatch 1','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0137xxxxxxxxx','/alert off 1','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0138xxxxxxxxx','/alert','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0139xxxxxxxxx','/alert off 3','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0141xxxxxxxxx','/alert off 5','2098-12-31 23:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0152xxxxxxxxx','/worker start queue=248e067d00000000000000000000008d','2098-12-31 23:59:30.000000','',0);
INSERT INTO "actions" VALUES('act0153xxxxxxxxx','/dequeue 86568ccc00000000000000000000008c','2098-12-31 23:59:30.000000','',0);
INSERT INTO "actions" VALUES('act0157xxxxxxxxx','/abort e81f131b00000000000000000000008b','2098-12-31 23:59:30.000000','',0);
INSERT INTO "actions" VALUES('act0178xxxxxxxxx','/queue','2099-01-01 00:00:00.000000','',0);
INSERT INTO "actions" VALUES('act0188xxxxxxxxx','/help','2099-01-01 00:01:00.000000','',0);
CREATE TABLE acts (
	experiment_id VARCHAR(255) NOT NULL, 
	kind VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_acts PRIMARY KEY (experiment_id, kind), 
	CONSTRAINT fk_acts_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "acts" VALUES('ec48c90d00000000000000000000001d','dequeued',1,'2026-11-20 12:00:00.000000');
INSERT INTO "acts" VALUES('9ffe8a53000000000000000000000143','aborted',2,'2026-11-20 12:00:00.000000');
INSERT INTO "acts" VALUES('2e2ac0ea00000000000000000000000a','back_to_draft',1,'2026-11-20 12:00:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0011');
CREATE TABLE alerts (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	experiment_id VARCHAR(255) NOT NULL, 
	experiment_name TEXT NOT NULL, 
	metric TEXT NOT NULL, 
	comparison VARCHAR(255) NOT NULL, 
	threshold DOUBLE, 
	pattern TEXT NOT NULL, 
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	thread VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	since DATETIME NOT NULL, 
	extreme DOUBLE, 
	log_from DATETIME, 
	log_next DATETIME, 
	CONSTRAINT fk_alerts_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "alerts" VALUES(1,'9f80c83a00000000000000000000005a','long run','loss/train','<',0.001,'','telegram','1001','',1,'2026-11-20 11:00:00.000000',1.5,NULL,NULL);
INSERT INTO "alerts" VALUES(2,'9f80c83a00000000000000000000005a','long run','val/acc','>=',0.9,'','slack','C0LAB','1795176000.000100',2,'2026-11-20 11:00:00.000000',0.71,NULL,NULL);
INSERT INTO "alerts" VALUES(4,'9f80c83a00000000000000000000005a','long run','','',NULL,'CUDA out of memory','slack','C0LAB','1795176000.000100',1,'2026-11-20 11:00:00.000000',NULL,'2026-11-20 11:00:00.000000','2026-11-20 11:20:50.000000');
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	identity VARCHAR(255) NOT NULL, 
	person_id INTEGER, 
	conversation VARCHAR(255) NOT NULL, 
	line TEXT NOT NULL, 
	experiment_id VARCHAR(255) NOT NULL, 
	outcome VARCHAR(255) NOT NULL, 
	error_code VARCHAR(255) NOT NULL, 
	incident VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (id), 
	CONSTRAINT fk_audit_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "audit" VALUES(1,'2026-11-20 11:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:D0ALICE','/whoami','','done','','');
INSERT INTO "audit" VALUES(2,'2026-11-20 11:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:C0LAB:1795176000.000100','/clone baseline two cards','ec48c90d00000000000000000000001d','done','','');
INSERT INTO "audit" VALUES(3,'2026-11-20 11:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:C0LAB:1795176000.000100','/set args.lr=0.2 args.new_flag=on --new','ec48c90d00000000000000000000001d','done','','');
INSERT INTO "audit" VALUES(4,'2026-11-20 11:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:C0LAB:1795176000.000100','/container image=nvcr.io/nvidia/pytorch:25.10-py3 args=''--ipc=host''','ec48c90d00000000000000000000001d','done','','');
INSERT INTO "audit" VALUES(5,'2026-11-20 11:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:C0LAB:1795176000.000100','/script branch=main entry=train2.py','ec48c90d00000000000000000000001d','done','','');
INSERT INTO "audit" VALUES(6,'2026-11-20 11:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:C0LAB:1795176000.000100','/name two cards, lr 0.2','ec48c90d00000000000000000000001d','done','','');
INSERT INTO "audit" VALUES(7,'2026-11-20 11:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:C0LAB:1795176000.000100','/tag +lr +draft','ec48c90d00000000000000000000001d','done','','');
INSERT INTO "audit" VALUES(8,'2026-11-20 11:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:C0LAB:1795176000.000100','/unset args.backbone','ec48c90d00000000000000000000001d','done','','');
INSERT INTO "audit" VALUES(9,'2026-11-20 11:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:C0LAB:1795176000.000100','/undo','ec48c90d00000000000000000000001d','done','','');
INSERT INTO "audit" VALUES(10,'2026-11-20 11:00:00.000000','telegram:1001',1,'telegram:1001','/set','aa66d130000000000000000000000030','asked','','');
INSERT INTO "audit" VALUES(11,'2026-11-20 11:00:00.000000','telegram:1001',1,'telegram:1001','/container','aa66d130000000000000000000000030','asked','','');
INSERT INTO "audit" VALUES(12,'2026-11-20 11:00:00.000000','telegram:1002',2,'telegram:1002','/clone','','asked','','');
INSERT INTO "audit" VALUES(13,'2026-11-20 11:00:00.000000','telegram:1001',1,'telegram:1001','/show aa66d130000000000000000000000030','aa66d130000000000000000000000030','done','','');
INSERT INTO "audit" VALUES(14,'2026-11-20 11:00:00.000000','telegram:1001',1,'telegram:1001','/watch ''sweep 1''','2c15e5f1000000000000000000000041','done','','');
INSERT INTO "audit" VALUES(15,'2026-11-20 11:00:00.000000','telegram:1001',1,'telegram:1001','/check aa66d130000000000000000000000030','aa66d130000000000000000000000030','done','','');
INSERT INTO "audit" VALUES(16,'2026-11-20 11:00:00.000000','telegram:1001',1,'telegram:1001','/enqueue aa66d130000000000000000000000030','','refused','preflight','');
INSERT INTO "audit" VALUES(17,'2026-11-20 11:00:00.000000','telegram:1001',1,'telegram:1001','/worker stop lab:alice_queue:gpu1','','asked','','');
INSERT INTO "audit" VALUES(18,'2026-11-20 11:00:00.000000','telegram:1001',1,'telegram:1001','/alert metric loss/train<1e-3 9f80c83a00000000000000000000005a','9f80c83a00000000000000000000005a','done','','');
INSERT INTO "audit" VALUES(19,'2026-11-20 11:45:00.000000','slack:T0LAB:U0BOB',2,'slack:C0LAB','/rerun fdeb2507000000000000000000000037 bobs rerun args.lr=0.3','9ffe8a53000000000000000000000143','done','','');
INSERT INTO "audit" VALUES(20,'2026-11-20 11:45:00.000000','slack:T0LAB:U0ALICE',1,'slack:C0LAB:1795176000.000100','/retry 5abe68f4000000000000000000000134','5abe68f4000000000000000000000134','done','','');
INSERT INTO "audit" VALUES(21,'2026-11-20 12:00:00.000000','telegram:1001',1,'telegram:1001','/dequeue aa66d130000000000000000000000030','','refused','not_pending','');
INSERT INTO "audit" VALUES(22,'2026-11-20 12:00:00.000000','telegram:1001',1,'telegram:1001','/enqueue aa66d130000000000000000000000030 --force','aa66d130000000000000000000000030','done','','');
INSERT INTO "audit" VALUES(23,'2026-11-20 12:00:00.000000','telegram:1001',1,'telegram:1001','/dequeue ec48c90d00000000000000000000001d','ec48c90d00000000000000000000001d','done','','');
INSERT INTO "audit" VALUES(24,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:C0LAB','/abort 9ffe8a53000000000000000000000143 --yes','9ffe8a53000000000000000000000143','done','','');
INSERT INTO "audit" VALUES(25,'2026-11-20 12:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:C0LAB:1795176000.000100','/reset ''high learning rate'' --yes','2e2ac0ea00000000000000000000000a','done','','');
INSERT INTO "audit" VALUES(26,'2026-11-20 12:00:00.000000','telegram:1002',2,'telegram:-1002003004:7','/log ''resnet50 batch 256''','8ff34739000000000000000000000009','done','','');
INSERT INTO "audit" VALUES(27,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/frobnicate','','refused','unknown_command','');
INSERT INTO "audit" VALUES(28,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/show nothing like it','','refused','experiment_not_found','');
INSERT INTO "audit" VALUES(29,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/show resnet50','','asked','ambiguous_experiment','');
INSERT INTO "audit" VALUES(30,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/set args.lr','','refused','no_current_experiment','');
INSERT INTO "audit" VALUES(31,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/container image=''x','','refused','unbalanced_quote','');
INSERT INTO "audit" VALUES(32,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/log many','','refused','experiment_not_found','');
INSERT INTO "audit" VALUES(33,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/worker stop lab:nobody:gpu7','','refused','worker_not_found','');
INSERT INTO "audit" VALUES(34,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/set ec48c90d00000000000000000000001d args.lr=1','','refused','not_yours','');
INSERT INTO "audit" VALUES(35,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/enqueue baseline','','refused','cannot_enqueue','');
INSERT INTO "audit" VALUES(36,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/queue use nowhere','','refused','queue_not_found','');
INSERT INTO "audit" VALUES(37,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/digest 09:00 tz=Mars','','refused','unknown_time_zone','');
INSERT INTO "audit" VALUES(38,'2026-11-20 12:00:00.000000','slack:T0LAB:U0BOB',2,'slack:D0BOB','/link …','','refused','wrong_link_code','');
INSERT INTO "audit" VALUES(39,'2026-11-20 12:00:00.000000','telegram:1003',3,'telegram:1003','/enqueue baseline','','refused','not_allowed','');
INSERT INTO "audit" VALUES(40,'2026-11-20 12:00:00.000000','telegram:1003',3,'telegram:1003','/show','','refused','no_current_experiment','');
INSERT INTO "audit" VALUES(41,'2026-11-20 12:00:00.000000','telegram:6666',NULL,'telegram:6666','/find','','refused','stranger','');
INSERT INTO "audit" VALUES(42,'2026-11-20 12:00:00.000000','telegram:1002',2,'telegram:1002','/gpus','','broken','unexpected','1bad0001');
INSERT INTO "audit" VALUES(43,'2026-11-20 12:00:00.000000','terminal:alice',1,'terminal:alice','/gpus','','broken','unexpected','1bad0002');
INSERT INTO "audit" VALUES(44,'2026-11-20 12:00:00.000000','slack:T0LAB:U0ALICE',1,'slack:D0ALICE','/link','','done','','');
CREATE TABLE card_questions (
	token VARCHAR(255) NOT NULL, 
	group_token VARCHAR(255) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	asker_id INTEGER NOT NULL, 
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	thread VARCHAR(255) NOT NULL, 
	cards TEXT NOT NULL, 
	line TEXT NOT NULL, 
	request JSON NOT NULL, 
	asked_id INTEGER NOT NULL, 
	worker_ids JSON NOT NULL, 
	noted DATETIME NOT NULL, 
	expires DATETIME NOT NULL, 
	answer VARCHAR(255) NOT NULL, 
	begun DATETIME, 
	CONSTRAINT pk_card_questions PRIMARY KEY (token), 
	CONSTRAINT fk_card_questions_asked_id_people FOREIGN KEY(asked_id) REFERENCES people (id), 
	CONSTRAINT fk_card_questions_asker_id_people FOREIGN KEY(asker_id) REFERENCES people (id)
);
INSERT INTO "card_questions" VALUES('c0ffee000200000000','c0ffee000100000000','lab',4,'telegram','1005','','card 1','/worker start gpus=1','{"order": {"queue_names": [], "gpus": "1", "image": null, "docker": false, "venv": false, "services": false, "name": "", "host": "", "share": false, "consents": ["lab:alice_queue:gpu1"]}, "restarts": null, "mid_run": ""}',1,'["lab:alice_queue:gpu1"]','2026-11-20 11:00:00.000000','2098-12-31 23:00:00.000000','share','2026-11-20 11:00:00.000000');
INSERT INTO "card_questions" VALUES('c0ffee000400000000','c0ffee000300000000','lab',2,'telegram','1002','','card 1','/worker restart lab:bob_queue:gpu0 gpus=1 run=requeue','{"order": {"queue_names": [], "gpus": "1", "image": null, "docker": false, "venv": false, "services": false, "name": "", "host": "", "share": false, "consents": ["lab:alice_queue:gpu1"]}, "restarts": "lab:bob_queue:gpu0", "mid_run": "requeue"}',1,'["lab:alice_queue:gpu1"]','2026-11-20 11:00:00.000000','2098-12-31 23:00:00.000000','',NULL);
INSERT INTO "card_questions" VALUES('c0ffee000600000000','c0ffee000500000000','lab',4,'telegram','1005','','cards 1,0','/worker start gpus=0,1 image=nvcr.io/x:3','{"order": {"queue_names": [], "gpus": "0,1", "image": "nvcr.io/x:3", "docker": false, "venv": false, "services": false, "name": "", "host": "", "share": false, "consents": ["lab:alice_queue:gpu1", "lab:bob_queue:gpu0"]}, "restarts": null, "mid_run": ""}',1,'["lab:alice_queue:gpu1"]','2026-11-20 11:00:00.000000','2098-12-31 23:00:00.000000','',NULL);
INSERT INTO "card_questions" VALUES('c0ffee000700000000','c0ffee000500000000','lab',4,'telegram','1005','','cards 1,0','/worker start gpus=0,1 image=nvcr.io/x:3','{"order": {"queue_names": [], "gpus": "0,1", "image": "nvcr.io/x:3", "docker": false, "venv": false, "services": false, "name": "", "host": "", "share": false, "consents": ["lab:alice_queue:gpu1", "lab:bob_queue:gpu0"]}, "restarts": null, "mid_run": ""}',2,'["lab:bob_queue:gpu0"]','2026-11-20 11:00:00.000000','2098-12-31 23:00:00.000000','',NULL);
INSERT INTO "card_questions" VALUES('c0ffee000900000000','c0ffee000800000000','lab',4,'telegram','1005','','card 0','/worker start gpus=0 name=mine','{"order": {"queue_names": [], "gpus": "0", "image": null, "docker": false, "venv": false, "services": false, "name": "mine", "host": "", "share": false, "consents": ["lab:bob_queue:gpu0"]}, "restarts": null, "mid_run": ""}',2,'["lab:bob_queue:gpu0"]','2026-11-20 11:00:00.000000','2098-12-31 23:00:00.000000','handover',NULL);
CREATE TABLE "card_watches" (
	id INTEGER NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	card VARCHAR(255) NOT NULL, 
	memory BIGINT, 
	seconds INTEGER NOT NULL, 
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	thread VARCHAR(255) NOT NULL, 
	free_since DATETIME, 
	person_id INTEGER, 
	CONSTRAINT pk_card_watches PRIMARY KEY (id), 
	CONSTRAINT uq_card_watches_host UNIQUE (host, card, platform, conversation_id, thread), 
	CONSTRAINT fk_card_watches_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "card_watches" VALUES(1,'lab','0',NULL,0,'telegram','1001','',NULL,1);
INSERT INTO "card_watches" VALUES(2,'lab','0',21474836480,300,'slack','C0LAB','1795176000.000100','2026-11-20 11:00:00.000000',2);
CREATE TABLE "cards" (
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	message_id VARCHAR(255) NOT NULL, 
	experiment_id VARCHAR(255) NOT NULL, 
	thread VARCHAR(255) DEFAULT '' NOT NULL, 
	is_card BOOLEAN DEFAULT 0 NOT NULL, 
	is_superseded BOOLEAN DEFAULT 0 NOT NULL, 
	due DATETIME, 
	edited DATETIME, 
	shown_change DATETIME, 
	CONSTRAINT pk_cards PRIMARY KEY (platform, conversation_id, message_id)
);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000210','ec48c90d00000000000000000000001d','1795176000.000100',0,1,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000211','ec48c90d00000000000000000000001d','1795176000.000100',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000212','ec48c90d00000000000000000000001d','1795176000.000100',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000213','ec48c90d00000000000000000000001d','1795176000.000100',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000214','ec48c90d00000000000000000000001d','1795176000.000100',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000215','ec48c90d00000000000000000000001d','1795176000.000100',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000216','ec48c90d00000000000000000000001d','1795176000.000100',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000217','ec48c90d00000000000000000000001d','1795176000.000100',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000218','ec48c90d00000000000000000000001d','1795176000.000100',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','513','aa66d130000000000000000000000030','',0,1,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','514','aa66d130000000000000000000000030','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','516','aa66d130000000000000000000000030','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','517','aa66d130000000000000000000000030','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1005','522','fdeb2507000000000000000000000037','',1,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1005','523','d891921a00000000000000000000003a','',1,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','524','aa66d130000000000000000000000030','',0,1,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000219','ec48c90d00000000000000000000001d','1795176000.000100',1,1,'2026-11-20 12:00:00.000000',NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000220','8ff34739000000000000000000000009','',1,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','-1002003004','525','8ff34739000000000000000000000009','7',1,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','527','2c15e5f1000000000000000000000041','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','530','aa66d130000000000000000000000030','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','532','9f80c83a00000000000000000000005a','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','558','9f80c83a00000000000000000000005a','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000223','9f80c83a00000000000000000000005a','1795176000.000100',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','559','9f80c83a00000000000000000000005a','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000224','9f80c83a00000000000000000000005a','1795176000.000100',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','-1002003004','560','9f80c83a00000000000000000000005a','7',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','562','49e7996a00000000000000000000008a','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','563','e81f131b00000000000000000000008b','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','564','86568ccc00000000000000000000008c','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000225','9ffe8a53000000000000000000000143','',1,0,'2026-11-20 12:00:00.000000',NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000226','5abe68f4000000000000000000000134','1795176000.000100',1,0,'2026-11-20 12:00:30.000000','2026-11-20 12:00:00.000000','2026-11-20 11:45:00.000000');
INSERT INTO "cards" VALUES('telegram','1001','566','86568ccc00000000000000000000008c','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','567','e81f131b00000000000000000000008b','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','568','9f80c83a00000000000000000000005a','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','569','49e7996a00000000000000000000008a','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','570','dbefbb9c00000000000000000000005c','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','571','5abe68f4000000000000000000000134','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','572','bc86ef43000000000000000000000133','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','573','972d5c56000000000000000000000136','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','574','3564d607000000000000000000000137','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','575','49e7996a00000000000000000000008a','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','577','aa66d130000000000000000000000030','',1,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000229','ec48c90d00000000000000000000001d','1795176000.000100',1,0,'2026-11-20 12:00:00.000000',NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','578','ec48c90d00000000000000000000001d','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000230','9ffe8a53000000000000000000000143','',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('slack','C0LAB','1795176000.000231','2e2ac0ea00000000000000000000000a','1795176000.000100',1,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','-1002003004','579','8ff34739000000000000000000000009','7',0,0,NULL,NULL,NULL);
INSERT INTO "cards" VALUES('telegram','1001','580','2e2ac0ea00000000000000000000000a','',1,0,NULL,NULL,NULL);
CREATE TABLE created_experiments (
	experiment_id VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	CONSTRAINT pk_created_experiments PRIMARY KEY (experiment_id), 
	CONSTRAINT fk_created_experiments_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "created_experiments" VALUES('ec48c90d00000000000000000000001d',1);
INSERT INTO "created_experiments" VALUES('aa66d130000000000000000000000030',1);
INSERT INTO "created_experiments" VALUES('fdeb2507000000000000000000000037',4);
INSERT INTO "created_experiments" VALUES('d891921a00000000000000000000003a',4);
INSERT INTO "created_experiments" VALUES('9ffe8a53000000000000000000000143',2);
CREATE TABLE current_experiments (
	conversation VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	experiment_id VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_current_experiments PRIMARY KEY (conversation, person_id), 
	CONSTRAINT fk_current_experiments_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "current_experiments" VALUES('slack:C0LAB:1795176000.000100',1,'ec48c90d00000000000000000000001d');
INSERT INTO "current_experiments" VALUES('telegram:1001',1,'aa66d130000000000000000000000030');
INSERT INTO "current_experiments" VALUES('telegram:1005',4,'d891921a00000000000000000000003a');
INSERT INTO "current_experiments" VALUES('slack:C0LAB',2,'9ffe8a53000000000000000000000143');
CREATE TABLE "daily_digests" (
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	thread VARCHAR(255) NOT NULL, 
	at TIME NOT NULL, 
	zone VARCHAR(255) NOT NULL, 
	weekdays_only BOOLEAN NOT NULL, 
	told_until DATETIME NOT NULL, 
	person_id INTEGER, 
	CONSTRAINT pk_daily_digests PRIMARY KEY (platform, conversation_id, thread), 
	CONSTRAINT fk_daily_digests_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "daily_digests" VALUES('slack','C0LAB','','12:30:00.000000','Europe/Berlin',0,'2026-11-20 11:30:00.000000',1);
INSERT INTO "daily_digests" VALUES('telegram','-1002003004','7','08:00:00.000000','Asia/Tokyo',1,'2026-11-20 11:00:00.000000',2);
CREATE TABLE draft_edits (
	id INTEGER NOT NULL, 
	experiment_id VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	kind VARCHAR(255) NOT NULL, 
	"before" JSON NOT NULL, 
	"after" JSON NOT NULL, 
	undone BOOLEAN NOT NULL, 
	CONSTRAINT pk_draft_edits PRIMARY KEY (id), 
	CONSTRAINT fk_draft_edits_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "draft_edits" VALUES(1,'ec48c90d00000000000000000000001d',1,'2026-11-20 11:00:00.000000','parameters','{"Args/lr": {"section": "Args", "name": "lr", "value": "0.1", "type": "float", "description": "learning rate"}, "Args/new_flag": null}','{"Args/lr": "0.2", "Args/new_flag": "on"}',0);
INSERT INTO "draft_edits" VALUES(2,'ec48c90d00000000000000000000001d',1,'2026-11-20 11:00:00.000000','parameters','{"Args/lr": {"section": "Args", "name": "lr", "value": "0.2", "type": "float", "description": "learning rate"}}','{"Args/lr": "0.2"}',0);
INSERT INTO "draft_edits" VALUES(3,'ec48c90d00000000000000000000001d',1,'2026-11-20 11:00:00.000000','container','{"image": "nvcr.io/nvidia/pytorch:25.09-py3", "arguments": "--ipc=host -v /data:/data", "setup_shell_script": "", "other": {}}','{"image": "nvcr.io/nvidia/pytorch:25.10-py3", "arguments": "--ipc=host", "setup_shell_script": "", "other": {}}',0);
INSERT INTO "draft_edits" VALUES(4,'ec48c90d00000000000000000000001d',1,'2026-11-20 11:00:00.000000','script','{"repository": "", "branch": "", "commit": "", "entry_point": "train.py", "working_directory": ".", "other": {"binary": "python3", "requirements": {"pip": ""}, "diff": "print(''train'')\n"}}','{"repository": "", "branch": "main", "commit": "", "entry_point": "train2.py", "working_directory": ".", "other": {"binary": "python3", "requirements": {"pip": ""}, "diff": "print(''train'')\n"}}',0);
INSERT INTO "draft_edits" VALUES(5,'ec48c90d00000000000000000000001d',1,'2026-11-20 11:00:00.000000','name','{"name": "two cards"}','{"name": "two cards, lr 0.2"}',0);
INSERT INTO "draft_edits" VALUES(6,'ec48c90d00000000000000000000001d',1,'2026-11-20 11:00:00.000000','tags','{"tags": ["reference"]}','{"tags": ["reference", "+lr", "+draft"]}',0);
INSERT INTO "draft_edits" VALUES(7,'ec48c90d00000000000000000000001d',1,'2026-11-20 11:00:00.000000','parameters','{"Args/backbone": {"section": "Args", "name": "backbone", "value": "resnet18", "type": "str", "description": "network to train"}}','{"Args/backbone": null}',1);
INSERT INTO "draft_edits" VALUES(8,'aa66d130000000000000000000000030',1,'2026-11-20 11:00:00.000000','parameters','{"Args/gpus": {"section": "Args", "name": "gpus", "value": "0", "type": "str", "description": "GPUs to train on, comma separated"}, "Args/lr": {"section": "Args", "name": "lr", "value": "0.05", "type": "float", "description": "learning rate"}}','{"Args/gpus": "0,1", "Args/lr": "0.05"}',0);
CREATE TABLE experiment_states (
	experiment_id VARCHAR(255) NOT NULL, 
	name TEXT NOT NULL, 
	status VARCHAR(255) NOT NULL, 
	status_changed DATETIME NOT NULL, 
	parent_id VARCHAR(255) NOT NULL, 
	started DATETIME, 
	completed DATETIME, 
	worker_id VARCHAR(255) NOT NULL, 
	pending_since DATETIME, stopping_by VARCHAR(255) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_experiment_states PRIMARY KEY (experiment_id)
);
INSERT INTO "experiment_states" VALUES('ec48c90d00000000000000000000001d','two cards, lr 0.2','queued','2026-11-20 12:00:00.000000','538453d7000000000000000000000007',NULL,NULL,'','2026-11-20 12:00:00.000000','');
INSERT INTO "experiment_states" VALUES('aa66d130000000000000000000000030','wide again','queued','2026-11-20 12:00:00.000000','f1bbcd88000000000000000000000008',NULL,NULL,'','2026-11-20 12:00:00.000000','');
INSERT INTO "experiment_states" VALUES('fdeb2507000000000000000000000037','of erin','created','2026-11-20 11:00:00.000000','538453d7000000000000000000000007',NULL,NULL,'',NULL,'');
INSERT INTO "experiment_states" VALUES('d891921a00000000000000000000003a','of erin too','created','2026-11-20 11:00:00.000000','fdeb2507000000000000000000000037',NULL,NULL,'',NULL,'');
INSERT INTO "experiment_states" VALUES('2c15e5f1000000000000000000000041','sweep 1','completed','2026-11-19 09:59:59.000000','538453d7000000000000000000000007',NULL,NULL,'',NULL,'');
INSERT INTO "experiment_states" VALUES('ca4d5fa2000000000000000000000042','sweep 2','completed','2026-11-19 09:59:58.000000','538453d7000000000000000000000007',NULL,NULL,'',NULL,'');
INSERT INTO "experiment_states" VALUES('9f80c83a00000000000000000000005a','long run','stopped','2026-11-20 11:44:00.000000','538453d7000000000000000000000007','2026-11-20 10:40:00.000000','2026-11-20 11:44:00.000000','lab:alice_queue:gpu1',NULL,'');
INSERT INTO "experiment_states" VALUES('8ff34739000000000000000000000009','resnet50 batch 256','failed','2026-11-19 16:03:00.000000','538453d7000000000000000000000007','2026-11-19 16:00:00.000000','2026-11-19 16:03:00.000000','lab-1:gpu0',NULL,'');
INSERT INTO "experiment_states" VALUES('49e7996a00000000000000000000008a','silent run','in_progress','2026-11-20 10:59:00.000000','538453d7000000000000000000000007','2026-11-20 10:59:00.000000',NULL,'',NULL,'');
INSERT INTO "experiment_states" VALUES('e81f131b00000000000000000000008b','lost run','in_progress','2026-11-20 10:59:00.000000','538453d7000000000000000000000007','2026-11-20 10:59:00.000000',NULL,'other:gpu0',NULL,'');
INSERT INTO "experiment_states" VALUES('86568ccc00000000000000000000008c','waits for nobody','queued','2026-11-20 10:59:00.000000','538453d7000000000000000000000007',NULL,NULL,'','2026-11-20 10:59:00.000000','');
INSERT INTO "experiment_states" VALUES('bc86ef43000000000000000000000133','short run','completed','2026-11-20 11:44:00.000000','538453d7000000000000000000000007','2026-11-20 11:10:00.000000','2026-11-20 11:44:00.000000','',NULL,'');
INSERT INTO "experiment_states" VALUES('5abe68f4000000000000000000000134','broken run','queued','2026-11-20 11:45:00.000000','538453d7000000000000000000000007','2026-11-20 11:42:00.000000','2026-11-20 11:44:00.000000','lab:alice_queue:gpu1','2026-11-20 11:45:00.000000','');
INSERT INTO "experiment_states" VALUES('f8f5e2a5000000000000000000000135','to be deleted','created','2026-11-20 11:25:00.000000','538453d7000000000000000000000007',NULL,NULL,'',NULL,'');
INSERT INTO "experiment_states" VALUES('972d5c56000000000000000000000136','back to draft','created','2026-11-20 11:42:00.000000','538453d7000000000000000000000007',NULL,NULL,'',NULL,'');
INSERT INTO "experiment_states" VALUES('3564d607000000000000000000000137','taken out','created','2026-11-20 11:42:00.000000','538453d7000000000000000000000007',NULL,NULL,'',NULL,'');
INSERT INTO "experiment_states" VALUES('dbefbb9c00000000000000000000005c','bobs run','in_progress','2026-11-20 10:50:00.000000','538453d7000000000000000000000007','2026-11-20 10:50:00.000000',NULL,'lab:bob_queue:gpu0',NULL,'');
INSERT INTO "experiment_states" VALUES('9ffe8a53000000000000000000000143','bobs rerun','queued','2026-11-20 11:45:00.000000','fdeb2507000000000000000000000037',NULL,NULL,'','2026-11-20 11:45:00.000000','');
CREATE TABLE identities (
	platform VARCHAR(255) NOT NULL, 
	workspace VARCHAR(255) NOT NULL, 
	user_id VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	CONSTRAINT pk_identities PRIMARY KEY (platform, workspace, user_id), 
	CONSTRAINT fk_identities_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "identities" VALUES('slack','T0LAB','U0ALICE',1);
INSERT INTO "identities" VALUES('telegram','','1001',1);
INSERT INTO "identities" VALUES('terminal','','alice',1);
INSERT INTO "identities" VALUES('slack','T0LAB','U0BOB',2);
INSERT INTO "identities" VALUES('telegram','','1002',2);
INSERT INTO "identities" VALUES('telegram','','1003',3);
INSERT INTO "identities" VALUES('telegram','','1005',4);
CREATE TABLE link_codes (
	digest VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	expires DATETIME NOT NULL, 
	CONSTRAINT pk_link_codes PRIMARY KEY (digest), 
	CONSTRAINT fk_link_codes_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "link_codes" VALUES('8d73dfd5a55727ecd4e22e586bfb61c873700feb8ccdc5f04cfbf5b339e95479',1,'2026-11-20 12:10:00.000000');
INSERT INTO "link_codes" VALUES('d53868c36f0911de0ea805e4041724911e0aa44791e5b95bb642368f58dab444',2,'2099-01-01 00:00:00.000000');
CREATE TABLE mutes (
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	until DATETIME NOT NULL, 
	person_id INTEGER NOT NULL, 
	CONSTRAINT pk_mutes PRIMARY KEY (platform, conversation_id), 
	CONSTRAINT fk_mutes_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "mutes" VALUES('slack','C0NOISE','2026-11-20 23:00:00.000000',1);
INSERT INTO "mutes" VALUES('telegram','-1009','2026-11-21 11:00:00.000000',2);
INSERT INTO "mutes" VALUES('telegram','-1010','2026-11-20 11:00:00.000000',1);
CREATE TABLE "outbox" (
	id INTEGER NOT NULL, 
	experiment_id VARCHAR(255) NOT NULL, 
	kind VARCHAR(255) NOT NULL, 
	at DATETIME NOT NULL, 
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	thread VARCHAR(255) NOT NULL, 
	details JSON NOT NULL, 
	attempts INTEGER NOT NULL, 
	next_attempt DATETIME NOT NULL, 
	delivered DATETIME, 
	noted DATETIME NOT NULL, 
	CONSTRAINT pk_outbox PRIMARY KEY (id), 
	CONSTRAINT uq_outbox_experiment_id UNIQUE (experiment_id, kind, at, platform, conversation_id, thread)
);
INSERT INTO "outbox" VALUES(1,'cards:c0ffee000200000000','notice','2026-11-20 11:00:00.000000','telegram','1001','','{"text": "Erin Evans asks you for card 1. Card 1: the worker lab:alice_queue:gpu1 of Alice Adams runs \u201clong run\u201d of Alice Adams (20 min).", "is_trouble": false, "offers": [["Let Erin Evans share it", "/worker consent c0ffee000200000000 share"], ["Hand it over when my run has ended", "/worker consent c0ffee000200000000 handover"], ["Not now", "/worker consent c0ffee000200000000 no"]], "more": [], "quote": "", "experiment": "", "person": 1}',0,'2026-11-20 11:00:00.000000','2026-11-20 11:00:00.000000','2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(2,'cards:c0ffee000400000000','notice','2026-11-20 11:00:00.000000','telegram','1001','','{"text": "Bob Brown asks you for card 1. Card 1: the worker lab:alice_queue:gpu1 of Alice Adams runs \u201clong run\u201d of Alice Adams (20 min).", "is_trouble": false, "offers": [["Let Bob Brown share it", "/worker consent c0ffee000400000000 share"], ["Hand it over when my run has ended", "/worker consent c0ffee000400000000 handover"], ["Not now", "/worker consent c0ffee000400000000 no"]], "more": [], "quote": "", "experiment": "", "person": 1}',0,'2026-11-20 11:00:00.000000','2026-11-20 11:00:00.000000','2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(3,'cards:c0ffee000600000000','notice','2026-11-20 11:00:00.000000','telegram','1001','','{"text": "Erin Evans asks you for cards 1,0. Card 1: the worker lab:alice_queue:gpu1 of Alice Adams runs \u201clong run\u201d of Alice Adams (20 min).", "is_trouble": false, "offers": [["Let Erin Evans share it", "/worker consent c0ffee000600000000 share"], ["Hand it over when my run has ended", "/worker consent c0ffee000600000000 handover"], ["Not now", "/worker consent c0ffee000600000000 no"]], "more": [], "quote": "", "experiment": "", "person": 1}',0,'2026-11-20 11:00:00.000000','2026-11-20 11:00:00.000000','2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(4,'cards:c0ffee000700000000','notice','2026-11-20 11:00:00.000000','slack','D0BOB','','{"text": "Erin Evans asks you for cards 1,0. Card 0: the worker lab:bob_queue:gpu0 of Bob Brown runs \u201cbobs run\u201d of Bob Brown (10 min).", "is_trouble": false, "offers": [["Let Erin Evans share it", "/worker consent c0ffee000700000000 share"], ["Hand it over when my run has ended", "/worker consent c0ffee000700000000 handover"], ["Not now", "/worker consent c0ffee000700000000 no"]], "more": [], "quote": "", "experiment": "", "person": 2}',0,'2026-11-20 11:00:00.000000',NULL,'2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(5,'cards:c0ffee000900000000','notice','2026-11-20 11:00:00.000000','slack','D0BOB','','{"text": "Erin Evans asks you for card 0. Card 0: the worker lab:bob_queue:gpu0 of Bob Brown runs \u201cbobs run\u201d of Bob Brown (10 min).", "is_trouble": false, "offers": [["Let Erin Evans share it", "/worker consent c0ffee000900000000 share"], ["Hand it over when my run has ended", "/worker consent c0ffee000900000000 handover"], ["Not now", "/worker consent c0ffee000900000000 no"]], "more": [], "quote": "", "experiment": "", "person": 2}',0,'2026-11-20 11:00:00.000000',NULL,'2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(6,'cards:c0ffee001100000000','notice','2026-11-20 11:00:00.000000','telegram','1001','','{"text": "Bob Brown asks you for card 1. Card 1: the worker lab:alice_queue:gpu1 of Alice Adams runs \u201clong run\u201d of Alice Adams (20 min).", "is_trouble": false, "offers": [["Let Bob Brown share it", "/worker consent c0ffee001100000000 share"], ["Hand it over when my run has ended", "/worker consent c0ffee001100000000 handover"], ["Not now", "/worker consent c0ffee001100000000 no"]], "more": [], "quote": "", "experiment": "", "person": 1}',0,'2026-11-20 11:00:00.000000','2026-11-20 11:00:00.000000','2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(7,'cards:c0ffee000100000000','notice','2026-11-20 11:00:00.000000','telegram','1005','','{"text": "Alice Adams lets you share card 1.", "is_trouble": false, "offers": [], "more": [], "quote": "", "experiment": "", "person": 4}',0,'2026-11-20 11:00:00.000000',NULL,'2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(8,'cards:c0ffee000800000000','notice','2026-11-20 11:00:00.000000','telegram','1005','','{"text": "Bob Brown gives you card 0: your order is carried out when what runs there has ended.", "is_trouble": false, "offers": [], "more": [], "quote": "", "experiment": "", "person": 4}',0,'2026-11-20 11:00:00.000000',NULL,'2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(9,'cards:c0ffee001000000000','notice','2026-11-20 11:00:00.000000','telegram','1002','','{"text": "Alice Adams says not now to your question for card 1. Nothing was started.", "is_trouble": false, "offers": [["Tell me when it is free", "/gpus watch 1"], ["All cards", "/gpus"]], "more": [], "quote": "", "experiment": "", "person": 2}',0,'2026-11-20 11:00:00.000000',NULL,'2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(10,'lab:cpu:services','notice','2026-11-20 11:00:00.000000','telegram','1001','','{"text": "lab:cpu:services has ended by itself; it is started again.", "is_trouble": true, "offers": [["Log", "/worker log worker=lab:cpu:services"]], "more": [], "quote": "", "experiment": "", "person": 1}',0,'2026-11-20 11:00:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(11,'card:lab:1','notice','2026-11-20 11:00:00.000000','telegram','-1002003004','7','{"text": "Card 1 of lab is free, with 79 GiB.", "is_trouble": false, "offers": [["Start my worker there", "/worker start gpus=\"1\""], ["All cards", "/gpus"]], "more": [], "quote": "", "experiment": "", "person": 2}',0,'2026-11-20 11:00:00.000000',NULL,'2026-11-20 11:00:00.000000');
INSERT INTO "outbox" VALUES(12,'unattended:86568ccc00000000000000000000008c','notice','2026-11-20 11:01:00.000000','telegram','1001','','{"text": "\u201cwaits for nobody\u201d is still Pending: no worker has listened on its queue nobody for 10 min.", "is_trouble": true, "offers": [["Start my worker", "/worker start queue=248e067d00000000000000000000008d"], ["Dequeue", "/dequeue 86568ccc00000000000000000000008c"], ["Show", "/show 86568ccc00000000000000000000008c"]], "more": [], "quote": "", "experiment": "86568ccc00000000000000000000008c", "person": 1}',0,'2026-11-20 11:11:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:11:00.000000');
INSERT INTO "outbox" VALUES(13,'worker_lost:e81f131b00000000000000000000008b','notice','2026-11-20 11:01:00.000000','telegram','1001','','{"text": "\u201clost run\u201d is Running, but its worker other:gpu0 has not reported of it for 10 min: the agent or its machine may have gone. ClearML itself waits two hours.", "is_trouble": true, "offers": [["Log", "/log e81f131b00000000000000000000008b"], ["Show", "/show e81f131b00000000000000000000008b"], ["Abort", "/abort e81f131b00000000000000000000008b"]], "more": [], "quote": "", "experiment": "e81f131b00000000000000000000008b", "person": 1}',0,'2026-11-20 11:11:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:11:00.000000');
INSERT INTO "outbox" VALUES(14,'alert:3','notice','2026-11-20 11:00:00.000000','telegram','1001','','{"text": "\u201clong run\u201d: val/acc is 0.7. You wanted to be told of val/acc > 0.6.", "is_trouble": false, "offers": [["Show", "/show 9f80c83a00000000000000000000005a"], ["Log", "/log 9f80c83a00000000000000000000005a"], ["Abort", "/abort 9f80c83a00000000000000000000005a"]], "more": [], "quote": "", "experiment": "9f80c83a00000000000000000000005a", "person": 1}',0,'2026-11-20 11:21:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:21:00.000000');
INSERT INTO "outbox" VALUES(15,'alert:5','notice','2026-11-20 11:00:00.000000','telegram','-1002003004','7','{"text": "\u201clong run\u201d has logged what you wanted to be told of: log \u201closs is (nan|inf)\u201d.", "is_trouble": false, "offers": [["Show", "/show 9f80c83a00000000000000000000005a"], ["Log", "/log 9f80c83a00000000000000000000005a"], ["Abort", "/abort 9f80c83a00000000000000000000005a"]], "more": [], "quote": "step 2: loss is nan", "experiment": "9f80c83a00000000000000000000005a", "person": 2}',0,'2026-11-20 11:21:00.000000',NULL,'2026-11-20 11:21:00.000000');
INSERT INTO "outbox" VALUES(16,'silent:49e7996a00000000000000000000008a','notice','2026-11-20 11:01:00.000000','telegram','1001','','{"text": "\u201csilent run\u201d is Running, but has given no sign of life for 30 min: no log, no iteration, no use of a GPU.", "is_trouble": true, "offers": [["Log", "/log 49e7996a00000000000000000000008a"], ["Show", "/show 49e7996a00000000000000000000008a"], ["Abort", "/abort 49e7996a00000000000000000000008a"]], "more": [], "quote": "", "experiment": "49e7996a00000000000000000000008a", "person": 1}',0,'2026-11-20 11:31:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:31:00.000000');
INSERT INTO "outbox" VALUES(17,'silent:49e7996a00000000000000000000008a','notice','2026-11-20 11:01:00.000000','slack','C0LAB','1795176000.000100','{"text": "\u201csilent run\u201d is Running, but has given no sign of life for 30 min: no log, no iteration, no use of a GPU.", "is_trouble": true, "offers": [["Log", "/log 49e7996a00000000000000000000008a"], ["Show", "/show 49e7996a00000000000000000000008a"], ["Abort", "/abort 49e7996a00000000000000000000008a"]], "more": [], "quote": "", "experiment": "49e7996a00000000000000000000008a", "person": 2}',0,'2026-11-20 11:31:00.000000','2026-11-20 11:55:00.000000','2026-11-20 11:31:00.000000');
INSERT INTO "outbox" VALUES(18,'dbefbb9c00000000000000000000005c','left_pending','2026-11-20 10:50:00.000000','telegram','-1002003004','7','{"name": "bobs run", "worker": "lab:bob_queue:gpu0", "waited": null, "ran": null, "by": "", "by_name": "", "reason": "", "owner": "Bob Brown", "people": [2]}',0,'2026-11-20 11:40:00.000000',NULL,'2026-11-20 11:40:00.000000');
INSERT INTO "outbox" VALUES(19,'dbefbb9c00000000000000000000005c','left_pending','2026-11-20 10:50:00.000000','telegram','1001','','{"name": "bobs run", "worker": "lab:bob_queue:gpu0", "waited": null, "ran": null, "by": "", "by_name": "", "reason": "", "owner": "Bob Brown", "people": [1]}',0,'2026-11-20 11:40:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:40:00.000000');
INSERT INTO "outbox" VALUES(20,'3564d607000000000000000000000137','dequeued','2026-11-20 11:42:00.000000','slack','C0LAB','1795176000.000100','{"name": "taken out", "worker": "", "waited": null, "ran": null, "by": "3c6ef362000000000000000000000002", "by_name": "Alice Adams", "reason": "", "owner": "", "people": [2]}',0,'2026-11-20 11:42:00.000000','2026-11-20 11:55:00.000000','2026-11-20 11:42:00.000000');
INSERT INTO "outbox" VALUES(21,'5abe68f4000000000000000000000134','left_pending','2026-11-20 11:42:00.000000','slack','C0LAB','1795176000.000100','{"name": "broken run", "worker": "lab:alice_queue:gpu1", "waited": 1020.0, "ran": null, "by": "", "by_name": "", "reason": "", "owner": "", "people": [2]}',0,'2026-11-20 11:42:00.000000',NULL,'2026-11-20 11:42:00.000000');
INSERT INTO "outbox" VALUES(22,'5abe68f4000000000000000000000134','left_pending','2026-11-20 11:42:00.000000','telegram','1001','','{"name": "broken run", "worker": "lab:alice_queue:gpu1", "waited": 1020.0, "ran": null, "by": "", "by_name": "", "reason": "", "owner": "", "people": [1]}',0,'2026-11-20 11:42:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:42:00.000000');
INSERT INTO "outbox" VALUES(23,'972d5c56000000000000000000000136','back_to_draft','2026-11-20 11:42:00.000000','slack','C0LAB','1795176000.000100','{"name": "back to draft", "worker": "", "waited": null, "ran": null, "by": "3c6ef362000000000000000000000002", "by_name": "Alice Adams", "reason": "", "owner": "", "people": [2]}',0,'2026-11-20 11:42:00.000000',NULL,'2026-11-20 11:42:00.000000');
INSERT INTO "outbox" VALUES(24,'5abe68f4000000000000000000000134','failed','2026-11-20 11:44:00.000000','slack','C0LAB','1795176000.000100','{"name": "broken run", "worker": "lab:alice_queue:gpu1", "waited": null, "ran": 120.0, "by": "", "by_name": "", "reason": "worker execution exit code 1", "owner": "Alice Adams", "people": [2]}',0,'2026-11-20 11:44:00.000000',NULL,'2026-11-20 11:44:00.000000');
INSERT INTO "outbox" VALUES(25,'5abe68f4000000000000000000000134','failed','2026-11-20 11:44:00.000000','telegram','1001','','{"name": "broken run", "worker": "lab:alice_queue:gpu1", "waited": null, "ran": 120.0, "by": "", "by_name": "", "reason": "worker execution exit code 1", "owner": "", "people": [1]}',0,'2026-11-20 11:44:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:44:00.000000');
INSERT INTO "outbox" VALUES(26,'5abe68f4000000000000000000000134','failed','2026-11-20 11:44:00.000000','slack','C0LAB','','{"name": "broken run", "worker": "lab:alice_queue:gpu1", "waited": null, "ran": 120.0, "by": "", "by_name": "", "reason": "worker execution exit code 1", "owner": "Alice Adams", "people": [1]}',0,'2026-11-20 11:44:00.000000',NULL,'2026-11-20 11:44:00.000000');
INSERT INTO "outbox" VALUES(27,'9f80c83a00000000000000000000005a','aborted','2026-11-20 11:44:00.000000','slack','C0LAB','','{"name": "long run", "worker": "lab:alice_queue:gpu1", "waited": null, "ran": 3840.0, "by": "3c6ef362000000000000000000000002", "by_name": "Alice Adams", "reason": "", "owner": "Alice Adams", "people": [1]}',0,'2026-11-20 11:44:00.000000',NULL,'2026-11-20 11:44:00.000000');
INSERT INTO "outbox" VALUES(28,'bc86ef43000000000000000000000133','completed','2026-11-20 11:44:00.000000','slack','C0LAB','1795176000.000100','{"name": "short run", "worker": "", "waited": null, "ran": 2040.0, "by": "", "by_name": "", "reason": "", "owner": "Alice Adams", "people": [2]}',0,'2026-11-20 11:44:00.000000',NULL,'2026-11-20 11:44:00.000000');
INSERT INTO "outbox" VALUES(29,'bc86ef43000000000000000000000133','completed','2026-11-20 11:44:00.000000','telegram','1001','','{"name": "short run", "worker": "", "waited": null, "ran": 2040.0, "by": "", "by_name": "", "reason": "", "owner": "", "people": [1]}',0,'2026-11-20 11:44:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:44:00.000000');
INSERT INTO "outbox" VALUES(30,'9ffe8a53000000000000000000000143','enqueued','2026-11-20 11:45:00.000000','telegram','-1002003004','7','{"name": "bobs rerun", "worker": "", "waited": null, "ran": null, "by": "", "by_name": "Bob Brown", "reason": "", "owner": "Bob Brown", "people": [2]}',0,'2026-11-20 11:45:00.000000',NULL,'2026-11-20 11:45:00.000000');
INSERT INTO "outbox" VALUES(31,'5abe68f4000000000000000000000134','enqueued','2026-11-20 11:45:00.000000','slack','C0LAB','1795176000.000100','{"name": "broken run", "worker": "", "waited": null, "ran": null, "by": "", "by_name": "Alice Adams", "reason": "", "owner": "", "people": [2]}',0,'2026-11-20 11:45:00.000000',NULL,'2026-11-20 11:45:00.000000');
INSERT INTO "outbox" VALUES(32,'digest','notice','2026-11-20 11:30:00.000000','slack','C0LAB','','{"text": "Since Thu 12:30: 1 Failed, 2 Completed, 2 Aborted; now 3 Running, 3 Pending.", "is_trouble": false, "offers": [["Show log of resnet50 batch 256", "/log 8ff34739000000000000000000000009"], ["All that is watched", "/watching"]], "more": ["Failed\n\u201cresnet50 batch 256\u201d after 3 min: worker execution exit code 1", "Completed\n\u201cshort run\u201d after 34 min\n\u201caugmentation study\u201d after 52 min", "Aborted\n\u201clong run\u201d after 1 h 4 min\n\u201chigh learning rate\u201d after 11 min: task was stopped by tasks.stop", "Running\n\u201clost run\u201d for 56 min, on other:gpu0\n\u201csilent run\u201d for 56 min\n\u201cbobs run\u201d for 1 h 5 min, on lab:bob_queue:gpu0", "Pending\n\u201cbobs rerun\u201d for 10 min\n\u201cbroken run\u201d for 10 min\n\u201cwaits for nobody\u201d for 56 min", "Time run\nAlice Adams: 3 h 44 min, 2.2 GPU-hours\nBob Brown: 1 h 57 min, 1.9 GPU-hours"], "quote": "", "experiment": "", "person": 1}',0,'2026-11-20 11:55:00.000000',NULL,'2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(33,'972d5c56000000000000000000000136','deleted','2026-11-20 11:55:00.000000','slack','C0LAB','1795176000.000100','{"name": "back to draft", "worker": "lab:alice_queue:gpu1", "waited": null, "ran": null, "by": "daa66d13000000000000000000000003", "by_name": "Bob Brown", "reason": "worker execution exit code 1", "owner": "Alice Adams", "people": [1, 2]}',0,'2026-11-20 11:55:00.000000',NULL,'2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(34,'972d5c56000000000000000000000136','failed','2026-11-19 11:55:00.000000','slack','C0GONE','','{"name": "back to draft", "worker": "lab:alice_queue:gpu1", "waited": 75.0, "ran": 300.0, "by": "daa66d13000000000000000000000003", "by_name": "Bob Brown", "reason": "worker execution exit code 1", "owner": "Alice Adams", "people": [1, 2]}',0,'2026-11-20 11:55:00.000000','2026-11-20 11:55:00.000000','2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(35,'972d5c56000000000000000000000136','failed','2026-11-19 11:55:00.000000','slack','C0BUSY','','{"name": "back to draft", "worker": "lab:alice_queue:gpu1", "waited": 75.0, "ran": 300.0, "by": "daa66d13000000000000000000000003", "by_name": "Bob Brown", "reason": "worker execution exit code 1", "owner": "Alice Adams", "people": [1, 2]}',1,'2026-11-20 11:55:02.000000',NULL,'2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(36,'972d5c56000000000000000000000136','failed','2026-11-19 11:55:00.000000','telegram','-1077','','{"name": "back to draft", "worker": "lab:alice_queue:gpu1", "waited": 75.0, "ran": 300.0, "by": "daa66d13000000000000000000000003", "by_name": "Bob Brown", "reason": "worker execution exit code 1", "owner": "Alice Adams", "people": [1, 2]}',1,'2026-11-20 11:55:02.000000',NULL,'2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(37,'digest','notice','2026-11-20 11:55:00.000000','slack','C0BUSY','','{"text": "Since yesterday: 1 Failed.", "is_trouble": false, "offers": [["All that is watched", "/watching"]], "more": ["Failed", "\u00b7 \u201cback to draft\u201d"], "quote": "", "experiment": "", "person": 2}',0,'2026-11-20 11:55:00.000000',NULL,'2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(38,'972d5c56000000000000000000000136','failed','2026-11-19 11:55:00.000000','telegram','1001','','{"name": "back to draft", "worker": "lab:alice_queue:gpu1", "waited": 75.0, "ran": 300.0, "by": "daa66d13000000000000000000000003", "by_name": "Bob Brown", "reason": "worker execution exit code 1", "owner": "Alice Adams", "people": [1]}',0,'2026-11-20 11:55:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(39,'972d5c56000000000000000000000136','failed','2026-11-19 11:55:00.000000','telegram','1002','','{"name": "back to draft", "worker": "lab:alice_queue:gpu1", "waited": 75.0, "ran": 300.0, "by": "daa66d13000000000000000000000003", "by_name": "Bob Brown", "reason": "worker execution exit code 1", "owner": "Alice Adams", "people": [2]}',0,'2026-11-20 11:55:00.000000',NULL,'2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(40,'gone:slack:C0GONE','notice','2026-11-20 11:55:00.000000','telegram','1002','','{"text": "slack:C0GONE cannot be reached any more, so this has ended there: the watch of queue bob_queue, the daily digest.", "is_trouble": true, "offers": [], "more": [], "quote": "", "experiment": "", "person": 2}',0,'2026-11-20 11:55:00.000000',NULL,'2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(41,'3564d607000000000000000000000137','undelivered','2026-11-20 11:42:00.000000','slack','D0ALICE','','{"name": "taken out", "worker": "", "waited": null, "ran": null, "by": "3c6ef362000000000000000000000002", "by_name": "slack:C0LAB", "reason": "channel_not_found", "owner": "", "people": []}',0,'2026-11-20 11:55:00.000000',NULL,'2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(42,'3564d607000000000000000000000137','undelivered','2026-11-20 11:42:00.000000','telegram','1001','','{"name": "taken out", "worker": "", "waited": null, "ran": null, "by": "3c6ef362000000000000000000000002", "by_name": "slack:C0LAB", "reason": "channel_not_found", "owner": "", "people": []}',0,'2026-11-20 11:55:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(43,'undelivered:silent:49e7996a00000000000000000000008a','notice','2026-11-20 11:01:00.000000','slack','D0ALICE','','{"text": "This could not be told at slack:C0LAB for a day (is_archived): \u201csilent run\u201d is Running, but has given no sign of life for 30 min: no log, no iteration, no use of a GPU.", "is_trouble": true, "offers": [["Show", "/show 49e7996a00000000000000000000008a"]], "more": [], "quote": "", "experiment": "49e7996a00000000000000000000008a", "person": null}',0,'2026-11-20 11:55:00.000000',NULL,'2026-11-20 11:55:00.000000');
INSERT INTO "outbox" VALUES(44,'undelivered:silent:49e7996a00000000000000000000008a','notice','2026-11-20 11:01:00.000000','telegram','1001','','{"text": "This could not be told at slack:C0LAB for a day (is_archived): \u201csilent run\u201d is Running, but has given no sign of life for 30 min: no log, no iteration, no use of a GPU.", "is_trouble": true, "offers": [["Show", "/show 49e7996a00000000000000000000008a"]], "more": [], "quote": "", "experiment": "49e7996a00000000000000000000008a", "person": null}',0,'2026-11-20 11:55:00.000000','2026-11-20 11:59:30.000000','2026-11-20 11:55:00.000000');
CREATE TABLE own_experiments_off (
	person_id INTEGER NOT NULL, 
	CONSTRAINT pk_own_experiments_off PRIMARY KEY (person_id), 
	CONSTRAINT fk_own_experiments_off_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "own_experiments_off" VALUES(2);
INSERT INTO "own_experiments_off" VALUES(3);
CREATE TABLE own_places (
	person_id INTEGER NOT NULL, 
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_own_places PRIMARY KEY (person_id), 
	CONSTRAINT fk_own_places_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "own_places" VALUES(1,'slack','D0ALICE');
INSERT INTO "own_places" VALUES(2,'telegram','1002');
INSERT INTO "own_places" VALUES(3,'telegram','1003');
INSERT INTO "own_places" VALUES(4,'telegram','1005');
CREATE TABLE "people" (
	id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	role INTEGER NOT NULL, 
	clearml_user_id VARCHAR(255) NOT NULL, 
	from_settings BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_people PRIMARY KEY (id)
);
INSERT INTO "people" VALUES(1,'Alice Adams',3,'3c6ef362000000000000000000000002',1);
INSERT INTO "people" VALUES(2,'Bob Brown',2,'daa66d13000000000000000000000003',1);
INSERT INTO "people" VALUES(3,'Carol Clark',1,'',1);
INSERT INTO "people" VALUES(4,'Erin Evans',2,'',1);
INSERT INTO "people" VALUES(5,'Dave Dunn',1,'',1);
CREATE TABLE private_conversations (
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	CONSTRAINT pk_private_conversations PRIMARY KEY (platform, conversation_id), 
	CONSTRAINT fk_private_conversations_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "private_conversations" VALUES('slack','D0ALICE',1);
INSERT INTO "private_conversations" VALUES('slack','D0BOB',2);
INSERT INTO "private_conversations" VALUES('telegram','1003',3);
INSERT INTO "private_conversations" VALUES('telegram','1005',4);
INSERT INTO "private_conversations" VALUES('telegram','1002',2);
INSERT INTO "private_conversations" VALUES('telegram','1001',1);
CREATE TABLE questions (
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	message_id VARCHAR(255) NOT NULL, 
	token VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_questions PRIMARY KEY (platform, conversation_id, message_id), 
	CONSTRAINT fk_questions_token_actions FOREIGN KEY(token) REFERENCES actions (token) ON DELETE CASCADE
);
INSERT INTO "questions" VALUES('telegram','1001','515','act0021xxxxxxxxx');
INSERT INTO "questions" VALUES('telegram','1001','518','act0024xxxxxxxxx');
INSERT INTO "questions" VALUES('telegram','1002','520','act0027xxxxxxxxx');
CREATE TABLE queue_bindings (
	person_id INTEGER NOT NULL, 
	queue_id VARCHAR(255) NOT NULL, 
	queue_name VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_queue_bindings PRIMARY KEY (person_id), 
	CONSTRAINT fk_queue_bindings_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "queue_bindings" VALUES(1,'81af14c1000000000000000000000011','alice_queue');
INSERT INTO "queue_bindings" VALUES(2,'be1e0823000000000000000000000013','bob_queue');
INSERT INTO "queue_bindings" VALUES(4,'fa8cfb85000000000000000000000015','erin_queue');
CREATE TABLE quiet_hours (
	person_id INTEGER NOT NULL, 
	begins TIME NOT NULL, 
	ends TIME NOT NULL, 
	zone VARCHAR(255) NOT NULL, 
	failures_now BOOLEAN NOT NULL, 
	is_on BOOLEAN NOT NULL, 
	changed DATETIME NOT NULL, 
	CONSTRAINT pk_quiet_hours PRIMARY KEY (person_id), 
	CONSTRAINT fk_quiet_hours_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "quiet_hours" VALUES(1,'23:00:00.000000','07:30:00.000000','Europe/Berlin',1,1,'2026-11-20 11:00:00.000000');
INSERT INTO "quiet_hours" VALUES(2,'22:00:00.000000','08:00:00.000000','Asia/Tokyo',0,0,'2026-11-20 11:00:00.000000');
CREATE TABLE standstills (
	experiment_id VARCHAR(255) NOT NULL, 
	kind VARCHAR(255) NOT NULL, 
	sign TEXT NOT NULL, 
	since DATETIME NOT NULL, 
	told BOOLEAN NOT NULL, 
	CONSTRAINT pk_standstills PRIMARY KEY (experiment_id, kind)
);
INSERT INTO "standstills" VALUES('49e7996a00000000000000000000008a','silent','2026-11-20T10:59:00+00:00 0 1795174740000 0','2026-11-20 11:39:00.000000',0);
INSERT INTO "standstills" VALUES('86568ccc00000000000000000000008c','unattended','248e067d00000000000000000000008d 2026-11-20T10:59:00+00:00','2026-11-20 11:01:00.000000',1);
INSERT INTO "standstills" VALUES('9f80c83a00000000000000000000005a','silent','2026-11-20T10:40:00+00:00 6 1795173660000 0','2026-11-20 11:39:00.000000',0);
INSERT INTO "standstills" VALUES('9f80c83a00000000000000000000005a','worker_lost','2026-11-20T11:40:00+00:00','2026-11-20 11:40:00.000000',0);
INSERT INTO "standstills" VALUES('e81f131b00000000000000000000008b','silent','2026-11-20T10:59:00+00:00 0 0 0','2026-11-20 11:01:00.000000',0);
INSERT INTO "standstills" VALUES('e81f131b00000000000000000000008b','worker_lost','2026-11-20T11:00:00+00:00','2026-11-20 11:01:00.000000',1);
CREATE TABLE "started_workers" (
	id VARCHAR(255) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	process_id INTEGER NOT NULL, 
	process_started DATETIME NOT NULL, 
	started DATETIME NOT NULL, 
	CONSTRAINT pk_started_workers PRIMARY KEY (id)
);
INSERT INTO "started_workers" VALUES('lab:alice_queue:gpu1','lab',4101,'2026-11-20 11:01:00.000000','2026-11-20 11:01:02.000000');
INSERT INTO "started_workers" VALUES('lab:bob_queue:gpu0','lab',4102,'2026-11-20 11:02:00.000000','2026-11-20 11:02:02.000000');
INSERT INTO "started_workers" VALUES('lab:cpu:services','lab',4103,'2026-11-20 11:03:00.000000','2026-11-20 11:03:02.000000');
CREATE TABLE subscriptions (
	id INTEGER NOT NULL, 
	kind VARCHAR(255) NOT NULL, 
	target_id VARCHAR(255) NOT NULL, 
	name TEXT NOT NULL, 
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	thread VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	told JSON NOT NULL, 
	since DATETIME NOT NULL, 
	private BOOLEAN NOT NULL, 
	CONSTRAINT pk_subscriptions PRIMARY KEY (id), 
	CONSTRAINT fk_subscriptions_person_id_people FOREIGN KEY(person_id) REFERENCES people (id), 
	CONSTRAINT uq_subscriptions_kind UNIQUE (kind, target_id, platform, conversation_id, thread)
);
INSERT INTO "subscriptions" VALUES(1,'queue','81af14c1000000000000000000000011','alice_queue','slack','C0LAB','',1,'["aborted", "failed"]','2026-11-20 08:52:00.000000',0);
INSERT INTO "subscriptions" VALUES(2,'project','b54cda26000000000000000000000006','vision','slack','C0LAB','1795176000.000100',2,'["completed", "failed"]','2026-11-20 08:52:00.000000',0);
INSERT INTO "subscriptions" VALUES(3,'queue','be1e0823000000000000000000000013','bob_queue','telegram','-1002003004','7',2,'["aborted", "completed", "enqueued", "failed", "left_pending"]','2026-11-20 08:52:00.000000',0);
INSERT INTO "subscriptions" VALUES(4,'project','b54cda26000000000000000000000006','vision','telegram','1001','',1,'["aborted", "completed", "failed", "left_pending"]','2026-11-20 08:52:00.000000',1);
CREATE TABLE time_zones (
	person_id INTEGER NOT NULL, 
	zone VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_time_zones PRIMARY KEY (person_id), 
	CONSTRAINT fk_time_zones_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "time_zones" VALUES(1,'Europe/Berlin');
INSERT INTO "time_zones" VALUES(2,'Asia/Tokyo');
CREATE TABLE unwatched (
	experiment_id VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	CONSTRAINT pk_unwatched PRIMARY KEY (experiment_id, person_id), 
	CONSTRAINT fk_unwatched_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "unwatched" VALUES('9ffe8a53000000000000000000000143',2);
INSERT INTO "unwatched" VALUES('3564d607000000000000000000000137',1);
CREATE TABLE wanted_workers (
	id VARCHAR(255) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	"plan" JSON NOT NULL, 
	person_id INTEGER NOT NULL, 
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	thread VARCHAR(255) NOT NULL, 
	since DATETIME NOT NULL, 
	draining BOOLEAN NOT NULL, 
	held_queues JSON NOT NULL, 
	held_since DATETIME, 
	successor JSON NOT NULL, 
	failures INTEGER NOT NULL, 
	next_attempt DATETIME, 
	CONSTRAINT pk_wanted_workers PRIMARY KEY (id), 
	CONSTRAINT fk_wanted_workers_person_id_people FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "wanted_workers" VALUES('lab:alice_queue:gpu1','lab','{"queues": [["81af14c1000000000000000000000011", "alice_queue"], ["36fbeee7000000000000000000000017", "slow"]], "gpus": "1", "image": "nvcr.io/nvidia/pytorch:25.09-py3", "services": false, "name": "", "docker": false}',1,'telegram','1001','','2026-11-20 11:00:00.000000',1,'["81af14c1000000000000000000000011"]','2026-11-20 11:00:00.000000','{"queues": [["81af14c1000000000000000000000011", "alice_queue"], ["36fbeee7000000000000000000000017", "slow"]], "gpus": "none", "image": "nvcr.io/nvidia/pytorch:25.09-py3", "services": false, "name": "", "docker": false}',0,NULL);
INSERT INTO "wanted_workers" VALUES('lab:bob_queue:gpu0','lab','{"queues": [["be1e0823000000000000000000000013", "bob_queue"]], "gpus": "0", "image": "", "services": false, "name": "", "docker": true}',2,'slack','C0LAB','','2026-11-20 11:00:00.000000',1,'["be1e0823000000000000000000000013"]','2026-11-20 11:00:00.000000','{}',0,NULL);
INSERT INTO "wanted_workers" VALUES('lab:cpu:services','lab','{"queues": [["36fbeee7000000000000000000000017", "slow"]], "gpus": "none", "image": "", "services": true, "name": "cpu", "docker": false}',1,'telegram','1001','','2026-11-20 11:00:00.000000',0,'[]',NULL,'{}',2,'2026-11-20 11:00:40.000000');
CREATE TABLE "watcher_cursor" (
	id INTEGER NOT NULL, 
	position DATETIME NOT NULL, 
	begun DATETIME NOT NULL, 
	CONSTRAINT pk_watcher_cursor PRIMARY KEY (id)
);
INSERT INTO "watcher_cursor" VALUES(1,'2026-11-20 11:45:00.000000','2026-11-20 08:52:00.000000');
CREATE TABLE watches (
	id INTEGER NOT NULL, 
	experiment_id VARCHAR(255) NOT NULL, 
	platform VARCHAR(255) NOT NULL, 
	conversation_id VARCHAR(255) NOT NULL, 
	thread VARCHAR(255) NOT NULL, 
	person_id INTEGER NOT NULL, 
	CONSTRAINT pk_watches PRIMARY KEY (id), 
	CONSTRAINT fk_watches_person_id_people FOREIGN KEY(person_id) REFERENCES people (id), 
	CONSTRAINT uq_watches_experiment_id UNIQUE (experiment_id, platform, conversation_id, thread)
);
INSERT INTO "watches" VALUES(1,'ec48c90d00000000000000000000001d','slack','C0LAB','1795176000.000100',1);
INSERT INTO "watches" VALUES(2,'aa66d130000000000000000000000030','telegram','1001','',1);
INSERT INTO "watches" VALUES(3,'fdeb2507000000000000000000000037','telegram','1005','',4);
INSERT INTO "watches" VALUES(4,'d891921a00000000000000000000003a','telegram','1005','',4);
INSERT INTO "watches" VALUES(5,'2c15e5f1000000000000000000000041','telegram','1001','',1);
INSERT INTO "watches" VALUES(6,'ca4d5fa2000000000000000000000042','slack','D0ALICE','',1);
INSERT INTO "watches" VALUES(7,'9f80c83a00000000000000000000005a','telegram','1001','',1);
INSERT INTO "watches" VALUES(8,'8ff34739000000000000000000000009','telegram','1001','',1);
INSERT INTO "watches" VALUES(9,'49e7996a00000000000000000000008a','telegram','1001','',1);
INSERT INTO "watches" VALUES(10,'e81f131b00000000000000000000008b','telegram','1001','',1);
INSERT INTO "watches" VALUES(11,'86568ccc00000000000000000000008c','telegram','1001','',1);
INSERT INTO "watches" VALUES(12,'49e7996a00000000000000000000008a','slack','C0LAB','1795176000.000100',2);
INSERT INTO "watches" VALUES(13,'bc86ef43000000000000000000000133','slack','C0LAB','1795176000.000100',2);
INSERT INTO "watches" VALUES(14,'5abe68f4000000000000000000000134','slack','C0LAB','1795176000.000100',2);
INSERT INTO "watches" VALUES(15,'f8f5e2a5000000000000000000000135','slack','C0LAB','1795176000.000100',2);
INSERT INTO "watches" VALUES(16,'972d5c56000000000000000000000136','slack','C0LAB','1795176000.000100',2);
INSERT INTO "watches" VALUES(17,'3564d607000000000000000000000137','slack','C0LAB','1795176000.000100',2);
INSERT INTO "watches" VALUES(19,'5abe68f4000000000000000000000134','telegram','1001','',1);
INSERT INTO "watches" VALUES(20,'bc86ef43000000000000000000000133','telegram','1001','',1);
CREATE INDEX ix_audit_at ON audit (at);
CREATE INDEX ix_draft_edits_experiment_id ON draft_edits (experiment_id);
CREATE INDEX ix_actions_expires ON actions (expires);
CREATE INDEX ix_cards_due ON cards (due);
CREATE INDEX ix_cards_experiment_id ON cards (experiment_id);
CREATE INDEX ix_link_codes_expires ON link_codes (expires);
CREATE INDEX ix_wanted_workers_host ON wanted_workers (host);
CREATE INDEX ix_outbox_delivered ON outbox (delivered, platform, conversation_id, id);
CREATE INDEX ix_acts_at ON acts (at);
CREATE INDEX ix_experiment_states_status ON experiment_states (status);
CREATE INDEX ix_card_questions_group_token ON card_questions (group_token);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('alerts',5);
COMMIT;
