extension PostgreSQLSchema {
    /// What servers of one database keep for each other beside the galleries.
    ///
    /// A `bytea` ends at 1 GB, and an `UPDATE` of it would write all of it anew: a file is pieces, of which each is committed alone;
    /// its row says `whole` last. `prepared_model` has what members have made of the model in `candidate_model`.
    static let sharedFiles = [
        """
        CREATE TABLE shared_file (
            name text COLLATE "C" PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 200),
            state text COLLATE "C" NOT NULL CHECK (state IN ('coming', 'whole', 'gone')),
            bytes bigint NOT NULL CHECK (bytes >= 0),
            digest text COLLATE "C" NOT NULL,
            changed_at bigint NOT NULL
        )
        """,
        """
        CREATE TABLE shared_piece (
            name text COLLATE "C" NOT NULL REFERENCES shared_file (name) ON DELETE CASCADE,
            number bigint NOT NULL CHECK (number >= 0),
            bytes bytea NOT NULL,
            PRIMARY KEY (name, number)
        )
        """,
        // They do not get smaller.
        "ALTER TABLE shared_piece ALTER COLUMN bytes SET STORAGE EXTERNAL",
        """
        CREATE TABLE candidate_model (
            only_row bigint PRIMARY KEY CHECK (only_row = 1),
            model text COLLATE "C" NOT NULL,
            job text COLLATE "C" NOT NULL
        )
        """,
        """
        CREATE TABLE prepared_model (
            member text COLLATE "C" PRIMARY KEY REFERENCES member (id) ON DELETE CASCADE,
            model text COLLATE "C" NOT NULL,
            failure text
        )
        """,
    ]

    /// What servers embed together: how many sightings each has written of a job's candidate.
    static let sharedEmbedding = [
        "ALTER TABLE candidate_model ADD COLUMN stand_in text COLLATE \"C\"",
        """
        ALTER TABLE candidate_model ADD COLUMN takes_enrolments bigint NOT NULL DEFAULT 1 CHECK (takes_enrolments IN (0, 1))
        """,
        """
        CREATE TABLE embedding_share (
            job text COLLATE "C" NOT NULL,
            server text COLLATE "C" NOT NULL,
            sightings bigint NOT NULL,
            PRIMARY KEY (job, server)
        )
        """,
    ]
}
