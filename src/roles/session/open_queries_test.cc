#include "roles/session/open_queries.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;

const NodeId kMeta("m1");
constexpr Incarnation kLife(7);

class Asking : public QueryPort, public msg::Outbox {
public:
    void on_services(std::uint64_t, const msg::ListServicesReply&) override {}
    void on_config_put(std::uint64_t token, const Result<Version>& result) override {
        answers.emplace_back(token, result);
    }
    void send(const msg::RoleAddress&, msg::ClusterMessage message) override {
        sent.push_back(std::move(message));
    }

    std::uint64_t ask(std::uint64_t token) {
        queries.put_config(token, "key", "value", *this, metas, now, *this);
        const auto request = std::get<msg::PutTurnRequest>(sent.back());
        EXPECT_EQ(request.incarnation, kLife);
        sent.clear();
        return request.request;
    }
    void give_turn(std::uint64_t request, Incarnation life = kLife) {
        queries.on_reply(
            kMeta,
            msg::PutTurnReply{
                .incarnation = life, .request = request, .turn = {.term = 1, .number = 5}},
            now, *this);
    }

    void refuse(const NodeId& from, std::uint64_t request) {
        queries.on_reply(from, msg::ConfigPutReply{.incarnation = kLife,
                                                   .request = request,
                                                   .result = fail(Errc::not_ready, "follows")});
    }

    std::vector<NodeId> metas{kMeta};
    MonoTime now{};
    OpenQueries queries{kLife};
    std::vector<msg::ClusterMessage> sent;
    std::vector<std::pair<std::uint64_t, Result<Version>>> answers;
};

TEST(OpenQueries, SendAPutOnceInItsTurnAndPassItsAnswerOn) {
    Asking asking;
    const auto request = asking.ask(9);
    asking.give_turn(request);
    asking.give_turn(request);
    ASSERT_EQ(asking.sent.size(), 1U);
    const auto& put = std::get<msg::ConfigPut>(asking.sent[0]);
    EXPECT_EQ(put.turn, (msg::PutTurn{.term = 1, .number = 5}));
    EXPECT_EQ(put.key, "key");
    EXPECT_EQ(put.value, "value");
    asking.queries.on_reply(
        kMeta, msg::ConfigPutReply{.incarnation = kLife, .request = request, .result = Version(3)});
    ASSERT_EQ(asking.answers.size(), 1U);
    EXPECT_EQ(asking.answers[0], (std::pair{std::uint64_t{9}, Result<Version>(Version(3))}));
}

TEST(OpenQueries, WaitForTheLeadingMetaWhenOthersRefuseATurn) {
    Asking asking;
    asking.metas = {NodeId("m0"), kMeta, NodeId("m2")};
    const auto request = asking.ask(9);
    asking.refuse(NodeId("m0"), request);
    asking.give_turn(request);
    ASSERT_EQ(asking.sent.size(), 1U);
    asking.refuse(NodeId("m2"), request);
    EXPECT_TRUE(asking.answers.empty());
    asking.queries.on_reply(
        kMeta, msg::ConfigPutReply{.incarnation = kLife, .request = request, .result = Version(3)});
    ASSERT_EQ(asking.answers.size(), 1U);
    EXPECT_TRUE(asking.answers[0].second.has_value());
}

TEST(OpenQueries, AskAgainForATurnAndSendAPutAgainUntilItIsAnswered) {
    Asking asking;
    asking.metas = {kMeta, NodeId("m2")};
    const auto request = asking.ask(9);
    const auto again = [&](Duration after) {
        asking.sent.clear();
        asking.now += after;
        asking.queries.ask_again(asking.now, asking.metas, asking);
    };
    again(milliseconds(199));
    EXPECT_TRUE(asking.sent.empty());
    again(milliseconds(1));
    ASSERT_EQ(asking.sent.size(), 2U);
    EXPECT_EQ(std::get<msg::PutTurnRequest>(asking.sent[0]).request, request);
    asking.give_turn(request);
    again(OpenQueries::kAskAgain);
    ASSERT_EQ(asking.sent.size(), 2U) << "another one may lead by now";
    EXPECT_EQ(std::get<msg::ConfigPut>(asking.sent[1]).turn, (msg::PutTurn{1, 5}));
    asking.queries.on_reply(
        NodeId("m2"),
        msg::ConfigPutReply{.incarnation = kLife, .request = request, .result = Version(3)});
    EXPECT_EQ(asking.answers.size(), 1U) << "whoever took it";
    again(OpenQueries::kAskAgain);
    EXPECT_TRUE(asking.sent.empty());
}

TEST(OpenQueries, SendNothingAgainThatWasGivenUp) {
    Asking asking;
    const auto request = asking.ask(9);
    asking.give_turn(request);
    asking.sent.clear();
    asking.now += OpenQueries::kPatience;
    asking.queries.ask_again(asking.now, asking.metas, asking);
    EXPECT_TRUE(asking.sent.empty());
}

TEST(OpenQueries, AreRefusedWhenEveryMetaRefuses) {
    Asking asking;
    asking.metas = {kMeta, NodeId("m2")};
    const auto request = asking.ask(9);
    asking.refuse(kMeta, request);
    EXPECT_TRUE(asking.answers.empty());
    asking.refuse(NodeId("m2"), request);
    ASSERT_EQ(asking.answers.size(), 1U);
    EXPECT_EQ(asking.answers[0].second.error().code, Errc::not_ready);
}

TEST(OpenQueries, DoNotSendAPutWhoseTurnCameTooLate) {
    Asking asking;
    const auto request = asking.ask(9);
    asking.now += OpenQueries::kPatience;
    asking.give_turn(request);  // before expire(): as after standing still
    EXPECT_TRUE(asking.sent.empty());
    asking.queries.expire(asking.now);
    ASSERT_EQ(asking.answers.size(), 1U);
    EXPECT_EQ(asking.answers[0].second.error().code, Errc::timeout);
    asking.give_turn(request);
    EXPECT_TRUE(asking.sent.empty());
}

TEST(OpenQueries, IgnoreAnswersToAnEarlierLife) {
    Asking asking;
    const auto request = asking.ask(9);
    asking.give_turn(request, Incarnation(6));
    EXPECT_TRUE(asking.sent.empty());
    asking.queries.on_reply(
        kMeta, msg::ConfigPutReply{
                   .incarnation = Incarnation(6), .request = request, .result = Version(3)});
    EXPECT_TRUE(asking.answers.empty());
}

TEST(OpenQueries, RefuseAPutBeyondTheirLimit) {
    Asking asking;
    for (std::size_t i = 0; i < OpenQueries::kPutsMax; ++i) {
        (void)asking.ask(i);
    }
    asking.queries.put_config(99, "key", "value", asking, {kMeta}, asking.now, asking);
    EXPECT_TRUE(asking.sent.empty());
    asking.queries.expire(asking.now);
    ASSERT_EQ(asking.answers.size(), 1U);
    EXPECT_EQ(asking.answers[0].first, 99U);
    EXPECT_EQ(asking.answers[0].second.error().code, Errc::busy);
}

}  // namespace
}  // namespace muster::session
