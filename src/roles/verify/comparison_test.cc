#include "roles/verify/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/publication.h"

namespace muster::verify {
namespace {

using Kind = Finding::Kind;

constexpr SlotId kSlot{0};

SetDigest holding(const std::vector<std::string>& ids) {
    SetDigest digest;
    for (const std::string& id : ids) {
        digest.add(digest_of(RegistId(id), {.version = 1, .timestamp_ms = 1}));
    }
    return digest;
}

// One slot, led by d1 in epoch 3 and followed by d2, with clients of s1; a test says what each
// tells in a round.
class OneSlot : public testing::Test {
protected:
    using Ids = std::vector<std::string>;

    void copy(const std::string& node, std::uint64_t position, const Ids& ids) {
        msg::VerifyReply::Copy copy{.slot = kSlot,
                                    .slot_epoch = Epoch(3),
                                    .held = {Epoch(3), position},
                                    .leads = node == "d1",
                                    .whole = true,
                                    .settled = true,
                                    .digest = holding(ids),
                                    .publications = static_cast<std::uint32_t>(ids.size()),
                                    .owners = {}};
        if (copy.leads) {
            copy.owners.push_back({.session = NodeId("s1"),
                                   .life = Incarnation(1),
                                   .digest = copy.digest,
                                   .count = copy.publications});
        }
        answers.data[NodeId(node)].copies = {copy};
    }
    msg::VerifyReply::Copy& copy_of(const std::string& node) {
        return answers.data[NodeId(node)].copies.front();
    }
    void session(const Ids& ids, bool pending = false, const std::string& server = "d1") {
        answers.sessions[NodeId("s1")] = {
            .asker = {},
            .session = NodeId("s1"),
            .life = Incarnation(1),
            .slots = {{.slot = kSlot,
                       .slot_epoch = Epoch(3),
                       .server = NodeId(server),
                       .pending = pending,
                       .digest = holding(ids),
                       .count = static_cast<std::uint32_t>(ids.size())}},
            .detail = {}};
    }
    Report round() {
        comparison.add(answers, table);
        return comparison.report();
    }
    static Kind only(const std::vector<Finding>& findings) {
        EXPECT_EQ(findings.size(), 1U);
        return findings.empty() ? Kind::no_leader : findings.front().kind;
    }

    SlotTable table{
        .epoch = Epoch(5),
        .slots = {{.leader = NodeId("d1"), .followers = {NodeId("d2")}, .epoch = Epoch(3)}}};
    Answers answers;
    Comparison comparison;
};

TEST_F(OneSlot, IsEqualWhenAllHoldTheSame) {
    copy("d1", 7, {"a", "b"});
    copy("d2", 7, {"a", "b"});
    session({"a", "b"});
    const Report report = round();
    EXPECT_EQ(report.verdict(), Report::Verdict::equal);
    EXPECT_TRUE(comparison.open().empty());
    EXPECT_EQ(report.slots_equal, 1U);
    EXPECT_EQ(report.copies, 2U);
    EXPECT_EQ(report.copies_equal, 2U);
    EXPECT_EQ(report.sessions, 1U);
    EXPECT_EQ(report.publications, 2U);
}

TEST_F(OneSlot, DiffersWhenAFollowerHoldsSomethingElseAtThePositionOfItsLeader) {
    copy("d1", 7, {"a", "b"});
    copy("d2", 7, {"a", "x"});
    const Report report = round();
    EXPECT_EQ(only(report.differences), Kind::copy_differs);
    EXPECT_TRUE(comparison.open().empty()) << "another look changes nothing";
    EXPECT_EQ(report.copies_equal, 1U);
    EXPECT_EQ(sentence_of(report.differences[0]),
              "slot 0: d2 holds 2 publications and its leader d1 held 2, or others, at the same "
              "place of its log");
}

TEST_F(OneSlot, IsComparedAtThePositionOfAnotherLook) {
    copy("d1", 7, {"a", "b"});
    copy("d2", 6, {"a"});
    Report report = round();
    EXPECT_TRUE(report.differences.empty());
    EXPECT_EQ(only(report.open), Kind::behind);
    EXPECT_EQ(report.open[0].lacks, 1U);
    EXPECT_EQ(comparison.open(), std::vector{kSlot});
    copy("d1", 9, {"a", "b", "c", "d"});
    copy("d2", 7, {"a", "b"});
    report = round();
    EXPECT_EQ(report.verdict(), Report::Verdict::equal);
}

TEST_F(OneSlot, AFollowerAheadOfTheLookAtItsLeaderIsNotSaidToLackAnything) {
    copy("d1", 7, {"a"});
    copy("d2", 8, {"a", "b"});
    const Report report = round();
    EXPECT_EQ(only(report.open), Kind::behind);
    EXPECT_FALSE(report.open[0].lacks);
    EXPECT_EQ(report.verdict(), Report::Verdict::incomplete);
}

TEST_F(OneSlot, IsIncompleteWhileACopyIsMadeOrSomebodyStandsIn) {
    copy("d1", 7, {"a"});
    copy("d2", 0, {});
    copy_of("d2").whole = false;
    EXPECT_EQ(only(round().open), Kind::unmade);
    answers.data[NodeId("d2")].copies.clear();
    EXPECT_EQ(only(round().open), Kind::unmade);
    copy("d2", 7, {"a"});
    copy_of("d2").acting = true;
    EXPECT_EQ(only(round().open), Kind::stands_in);
}

TEST_F(OneSlot, WhoDidNotAnswerIsNotOpenButNotEqualEither) {
    copy("d1", 7, {"a"});
    session({"a"});
    const Report report = round();
    EXPECT_TRUE(comparison.open().empty());
    EXPECT_EQ(report.slots_equal, 0U);
    EXPECT_EQ(report.copies, 2U);
    EXPECT_EQ(report.copies_equal, 1U);
}

TEST_F(OneSlot, SaysThatNobodyLeads) {
    copy("d2", 7, {"a"});
    EXPECT_EQ(only(round().open), Kind::no_leader);
    EXPECT_EQ(comparison.open(), std::vector{kSlot});
}

TEST_F(OneSlot, FindsTwoLeadersOfOneEpoch) {
    copy("d1", 7, {"a"});
    copy("d2", 7, {"a"});
    copy_of("d2").leads = true;
    EXPECT_EQ(only(round().differences), Kind::two_leaders);
}

TEST_F(OneSlot, WhoStillLeadsAnOlderEpochIsNoLeader) {
    copy("d1", 7, {"a"});
    copy("d2", 7, {"a"});
    copy_of("d2").leads = true;
    copy_of("d2").slot_epoch = Epoch(2);
    EXPECT_TRUE(round().differences.empty());
}

TEST_F(OneSlot, ASessionDiffersOnlyWhenNeitherSideMovedForSomeRounds) {
    copy("d1", 7, {"a"});
    copy("d2", 7, {"a"});
    session({"a", "b"});
    for (int i = 1; i < Comparison::kSteady; ++i) {
        const Report report = round();
        EXPECT_EQ(only(report.open), Kind::unsettled) << i;
        EXPECT_TRUE(report.differences.empty()) << i;
    }
    const Report report = round();
    EXPECT_EQ(only(report.differences), Kind::session_differs);
    EXPECT_EQ(report.differences[0].node_has, 2U);
    EXPECT_EQ(report.differences[0].leader_has, 1U);
    EXPECT_TRUE(comparison.open().empty());
}

TEST_F(OneSlot, ASessionThatMovedMeanwhileIsLookedAtAnew) {
    copy("d1", 7, {"a"});
    copy("d2", 7, {"a"});
    session({"a", "b"});
    round();
    round();
    session({"a", "c"});
    EXPECT_TRUE(round().differences.empty());
    copy("d1", 9, {"a", "c"});
    EXPECT_EQ(round().verdict(), Report::Verdict::equal);
}

TEST_F(OneSlot, WhatASessionHasOnItsWayIsNoDifference) {
    copy("d1", 7, {"a"});
    copy("d2", 7, {"a"});
    session({"a", "b"}, true);
    for (int i = 0; i < 2 * Comparison::kSteady; ++i) {
        EXPECT_TRUE(round().differences.empty());
    }
}

TEST_F(OneSlot, WhatALeaderHoldsOfAnEarlierLifeIsNotTheSessions) {
    copy("d1", 7, {"a"});
    copy("d2", 7, {"a"});
    copy_of("d1").owners[0].life = Incarnation(0);
    copy_of("d1").orphans = 1;
    session({});
    const Report report = round();
    EXPECT_EQ(report.verdict(), Report::Verdict::equal);
    EXPECT_EQ(report.orphans, 1U);
}

TEST_F(OneSlot, ASessionIsComparedWithWhoStandsInForItsLeader) {
    copy("d2", 7, {"a"});
    copy_of("d2").acting = true;
    copy_of("d2").owners = {
        {.session = NodeId("s1"), .life = Incarnation(1), .digest = holding({"a"}), .count = 1}};
    session({"a", "b"}, false, "d2");
    for (int i = 0; i < Comparison::kSteady; ++i) {
        round();
    }
    const Report report = comparison.report();
    EXPECT_EQ(only(report.differences), Kind::session_differs);
    EXPECT_EQ(only(report.open), Kind::stands_in);
}

TEST_F(OneSlot, ASessionThatReachesNobodyIsNotCompared) {
    copy("d1", 7, {"a"});
    copy("d2", 7, {"a"});
    session({"a"}, false, "");
    EXPECT_EQ(only(round().open), Kind::unserved);
}

TEST_F(OneSlot, ANewLeaderBeginsAnew) {
    copy("d1", 7, {"a"});
    copy("d2", 6, {});
    round();
    copy("d1", 7, {"a"});
    copy("d2", 8, {"a"});
    copy_of("d1").leads = false;
    copy_of("d2").leads = true;
    copy_of("d2").slot_epoch = Epoch(6);
    copy_of("d1").slot_epoch = Epoch(6);
    copy_of("d1").held = copy_of("d2").held = {Epoch(6), 0};
    const Report report = round();
    EXPECT_EQ(report.verdict(), Report::Verdict::equal)
        << "the followers are those that answered in the epoch the table does not know yet";
    EXPECT_EQ(report.copies_equal, 2U);
}

TEST(EverySentence, SaysWhereAndWhatToDo) {
    for (const Kind kind :
         {Kind::two_leaders, Kind::copy_differs, Kind::session_differs, Kind::no_leader,
          Kind::unmade, Kind::behind, Kind::stands_in, Kind::unserved, Kind::unsettled}) {
        const Finding finding{.kind = kind,
                              .slot = SlotId(17),
                              .leader = NodeId("d1"),
                              .node = NodeId("n2"),
                              .service = "orders#@#t#@#g",
                              .publication = "p9"};
        EXPECT_THAT(sentence_of(finding), testing::StartsWith("slot 17: "));
        EXPECT_FALSE(advice_on(finding).empty());
        EXPECT_NE(to_string(kind), "unknown");
        if (kind == Kind::copy_differs || kind == Kind::session_differs) {
            EXPECT_THAT(sentence_of(finding),
                        testing::EndsWith("the first is publication p9 of service t/g/orders"));
        }
    }
}

}  // namespace
}  // namespace muster::verify
