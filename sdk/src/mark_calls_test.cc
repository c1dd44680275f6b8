#include "mark_calls.h"

#include <gtest/gtest.h>

#include "env/manual_time.h"

namespace muster::sdk_core {
namespace {

using namespace std::chrono_literals;

struct MarkCallsTest : ::testing::Test {
    struct Sent {
        client::LinkId link;
        msg::RequestId request;
        Duration timeout{};
    };

    std::shared_ptr<MarkCall> begin() {
        auto call = std::make_shared<MarkCall>();
        call->wish.timeout = 30s;
        call->until = time.mono() + 30s;
        calls.begin(call);
        return call;
    }

    env::ManualClock time;
    client::LinkId link{1};
    std::vector<Sent> sent;
    MarkCalls calls{
        {.clock = time,
         .link = [this] { return link; },
         .send =
             [this](client::LinkId over, const msg::MarkWish& wish) {
                 sent.push_back({over, wish.request, wish.timeout});
             },
         .answer = [](const auto& call, auto outcome) { call->outcome = std::move(outcome); }}};
};

TEST_F(MarkCallsTest, AreAnsweredOnce) {
    const auto first = begin();
    const auto second = begin();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_NE(sent[0].request, sent[1].request);
    EXPECT_TRUE(MarkCalls::is_mark(sent[0].request));
    calls.take(sent[0].request, msg::MarkOutcome{.changed = 7});
    ASSERT_TRUE(first->outcome.has_value());
    EXPECT_EQ((*first->outcome)->changed, 7U);
    EXPECT_FALSE(second->outcome.has_value());
    calls.take(sent[0].request, fail(Errc::busy, "once more"));
    EXPECT_TRUE(first->outcome->has_value());
}

TEST_F(MarkCallsTest, AreSentOverEveryConnectionForWhatIsLeftOfTheirTime) {
    link = {};
    const auto call = begin();
    EXPECT_TRUE(sent.empty()) << "no server is connected";
    link = client::LinkId(1);
    calls.send_again();
    time.advance(10s);
    link = client::LinkId(2);
    calls.send_again();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0].request, sent[1].request);
    EXPECT_EQ(sent[0].timeout, 30s);
    EXPECT_EQ(sent[1].link, client::LinkId(2));
    EXPECT_EQ(sent[1].timeout, 20s);
    time.advance(20s);
    calls.send_again();
    ASSERT_EQ(sent.size(), 3U) << "the call is kept until who waits says that it does not";
    EXPECT_EQ(sent[2].timeout, 0s);
}

TEST_F(MarkCallsTest, AreSentWhenTheyWaitForNobody) {
    auto call = std::make_shared<MarkCall>();
    call->until = time.mono();
    calls.begin(call);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].timeout, 0s);
}

TEST_F(MarkCallsTest, HaveIdsOfTheirOwn) {
    EXPECT_FALSE(MarkCalls::is_mark(msg::RequestId(0x7fff'ffff)));
    EXPECT_TRUE(MarkCalls::is_mark(msg::RequestId(0x8000'0000)));
}

TEST_F(MarkCallsTest, AreForgottenWhenNobodyWaits) {
    const auto call = begin();
    calls.forget(call);
    calls.send_again();
    EXPECT_EQ(sent.size(), 1U);
    calls.take(sent[0].request, msg::MarkOutcome{});
    EXPECT_FALSE(call->outcome.has_value());
}

}  // namespace
}  // namespace muster::sdk_core
