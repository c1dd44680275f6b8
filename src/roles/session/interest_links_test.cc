#include "roles/session/interest_links.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const NodeId kLeader("d1");
const ServicePtr kOrders = std::make_shared<const Service>(Service{.data_id = "orders"});

class Outbox final : public msg::Outbox {
public:
    void send(const msg::RoleAddress&, msg::ClusterMessage message) override {
        sent.push_back(std::move(message));
    }
    std::vector<msg::ClusterMessage> sent;
};

class InterestLinksTest : public ::testing::Test {
protected:
    void send() {
        outbox.sent.clear();
        links.send_due(now, outbox);
    }
    void changes(std::uint64_t seq, std::uint64_t stream = 1) {
        links.on_changes(kLeader, {.stream = stream, .seq = seq}, now,
                         [this](const msg::ChangeBatch& batch) { taken.push_back(batch.seq); });
    }
    bool beat(std::uint64_t life, std::uint64_t stream, std::uint64_t last_seq) {
        return links.on_heartbeat(
            kLeader, {.data = Incarnation(life), .stream = stream, .last_seq = last_seq}, now);
    }

    InterestLinks links{Incarnation(1), milliseconds(200), milliseconds(500)};
    Outbox outbox;
    MonoTime now{seconds(1)};
    std::vector<std::uint64_t> taken;
};

TEST_F(InterestLinksTest, DeclareAgainUntilAcknowledged) {
    links.declare(kLeader, {.service = kOrders, .held = Version(5)});
    send();
    ASSERT_EQ(outbox.sent.size(), 1U);
    const auto part = std::get<msg::InterestDeclare>(outbox.sent.front()).part;
    now += milliseconds(500);
    send();
    ASSERT_EQ(outbox.sent.size(), 1U);
    EXPECT_EQ(std::get<msg::InterestDeclare>(outbox.sent.front()).part, part);
    links.on_ack(kLeader, {.stream = 1, .part = part});
    now += milliseconds(500);
    send();
    EXPECT_TRUE(outbox.sent.empty());
}

TEST_F(InterestLinksTest, PauseLongerEachTimeAPartIsNotAcknowledged) {
    links.declare(kLeader, {.service = kOrders, .held = Version(5)});
    send();
    for (const int pause : {50, 100, 200, 400, 500, 500}) {
        EXPECT_EQ(links.next_due(), now + milliseconds(pause));
        now += milliseconds(pause);
        send();
        ASSERT_EQ(outbox.sent.size(), 1U) << pause;
    }
}

TEST_F(InterestLinksTest, SayAgainOnlyWhatIsDueOfEachLeader) {
    const NodeId other("d2");
    links.declare(other, {.service = kOrders, .held = Version(1)});
    send();
    now += milliseconds(30);
    links.declare(kLeader, {.service = kOrders, .held = Version(2)});
    links.declare(kLeader, {.service = kOrders, .held = Version(3)}, true);
    send();
    ASSERT_EQ(outbox.sent.size(), 2U);
    const auto part = std::get<msg::InterestDeclare>(outbox.sent.front()).part;
    EXPECT_EQ(links.next_due(), now + milliseconds(20)) << "that of the other one";
    links.on_ack(other, {.stream = 1, .part = 1});
    EXPECT_EQ(links.next_due(), now + milliseconds(50));
    links.on_ack(kLeader, {.stream = 1, .part = part});
    links.on_ack(kLeader, {.stream = 1, .part = part});  // doubled
    now += milliseconds(50);
    send();
    ASSERT_EQ(outbox.sent.size(), 1U);
    EXPECT_EQ(std::get<msg::InterestDeclare>(outbox.sent.front()).items.at(0).held, Version(3));
    links.restart(kLeader);
    EXPECT_FALSE(links.next_due());
    send();
    EXPECT_TRUE(outbox.sent.empty());
}

TEST_F(InterestLinksTest, DropWhatAnIdleLeaderTellsOf) {
    links.declare(kLeader, {.service = kOrders});
    send();
    links.on_ack(kLeader, {.stream = 1, .part = 1});
    send();
    ASSERT_TRUE(outbox.sent.empty());
    links.drop(kLeader, kOrders);
    send();
    ASSERT_EQ(outbox.sent.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<msg::InterestDrop>(outbox.sent.front()));
    send();
    EXPECT_TRUE(outbox.sent.empty());
}

TEST_F(InterestLinksTest, SayNothingOfWhatIsServedElsewhere) {
    const auto stock = std::make_shared<const Service>(Service{.data_id = "stock"});
    links.declare(kLeader, {.service = kOrders, .held = Version(5)});
    links.declare(kLeader, {.service = stock, .held = Version(5)});
    send();
    links.forget_if([](const Service& service) { return service.data_id == "orders"; });
    now += milliseconds(500);
    send();
    ASSERT_EQ(outbox.sent.size(), 1U);
    const auto& items = std::get<msg::InterestDeclare>(outbox.sent.front()).items;
    ASSERT_EQ(items.size(), 1U);
    EXPECT_EQ(*items.front().service, *stock);
    links.forget_if([](const Service&) { return true; });
    EXPECT_FALSE(links.next_due());
}

TEST_F(InterestLinksTest, SayApartWhatAFollowerIsAskedToActFor) {
    const auto stock = std::make_shared<const Service>(Service{.data_id = "stock"});
    links.declare(kLeader, {.service = kOrders});
    links.declare(kLeader, {.service = stock}, true);
    send();
    ASSERT_EQ(outbox.sent.size(), 2U);
    const auto& led = std::get<msg::InterestDeclare>(outbox.sent[0]);
    const auto& acted = std::get<msg::InterestDeclare>(outbox.sent[1]);
    EXPECT_FALSE(led.acting);
    EXPECT_EQ(*led.items.at(0).service, *kOrders);
    EXPECT_TRUE(acted.acting);
    EXPECT_EQ(*acted.items.at(0).service, *stock);
    EXPECT_NE(led.part, acted.part);
}

TEST_F(InterestLinksTest, TakeBatchesInTheirOrderOnce) {
    changes(2);
    changes(1);
    changes(1);
    changes(3);
    EXPECT_EQ(taken, (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_TRUE(links.broken(now + seconds(1)).empty());
}

TEST_F(InterestLinksTest, EndAStreamWhoseGapDoesNotClose) {
    changes(1);
    changes(3);
    EXPECT_TRUE(links.broken(now + milliseconds(199)).empty());
    EXPECT_EQ(links.broken(now + milliseconds(200)), std::vector{kLeader});
}

TEST_F(InterestLinksTest, NoticeALostTailByTheHeartbeat) {
    changes(1);
    EXPECT_FALSE(beat(1, 1, 2));
    EXPECT_EQ(links.broken(now + milliseconds(200)), std::vector{kLeader});
    changes(2);
    EXPECT_TRUE(links.broken(now + seconds(1)).empty()) << "it was only late";
}

TEST_F(InterestLinksTest, NoticeALeaderThatBeganAnew) {
    EXPECT_FALSE(beat(1, 1, 0));
    EXPECT_TRUE(beat(2, 0, 0));
    EXPECT_FALSE(beat(2, 0, 0)) << "once";
}

TEST_F(InterestLinksTest, NoticeALeaderThatForgotWhatItAcknowledged) {
    links.declare(kLeader, {.service = kOrders, .held = Version()});
    send();
    EXPECT_FALSE(beat(1, 0, 0)) << "the declaration is on its way";
    links.on_ack(kLeader, {.stream = 1, .part = 1});
    EXPECT_TRUE(beat(1, 0, 0));
}

TEST_F(InterestLinksTest, IgnoreAnEarlierStreamAndAnEarlierLife) {
    EXPECT_FALSE(beat(2, 1, 0));
    links.restart(kLeader);
    changes(1, 1);
    EXPECT_TRUE(taken.empty());
    EXPECT_FALSE(beat(1, 2, 9));
    EXPECT_TRUE(links.broken(now + seconds(1)).empty());
    changes(1, 2);
    EXPECT_EQ(taken.size(), 1U);
}

TEST_F(InterestLinksTest, KeepABoundedNumberOfEarlyBatches) {
    for (std::uint64_t seq = 2; seq < 1'000; ++seq) {
        changes(seq);
    }
    changes(1);
    EXPECT_EQ(taken.size(), InterestLinks::kEarlyMax + 1);
}

TEST_F(InterestLinksTest, GiveUpWhatWaitsBehindAGapInItsOrder) {
    const auto other = std::make_shared<const Service>(Service{.data_id = "other"});
    const auto receive = [&](std::uint64_t seq) {
        links.on_changes(kLeader,
                         {.stream = 1,
                          .seq = seq,
                          .changes = {DatumChange{.service = kOrders, .to = Version(seq)},
                                      DatumChange{.service = other, .to = Version(seq)}}},
                         now, [](const msg::ChangeBatch&) {});
    };
    const auto versions = [](const std::vector<InterestLinks::Told>& told) {
        std::vector<std::uint64_t> all;
        std::ranges::transform(told, std::back_inserter(all),
                               [](const auto& one) { return std::get<DatumChange>(one).to.raw(); });
        return all;
    };
    for (const std::uint64_t seq : {4, 1, 3}) {
        receive(seq);
    }
    const auto is_orders = [](const Service& service) { return service == *kOrders; };
    EXPECT_EQ(versions(links.forget_if(is_orders)), (std::vector<std::uint64_t>{3, 4}));
    EXPECT_TRUE(links.forget_if(is_orders).empty()) << "once";
    EXPECT_EQ(versions(links.restart(kLeader)), (std::vector<std::uint64_t>{3, 4}));
    EXPECT_TRUE(links.restart(kLeader).empty());
}

class PiecesOfAList : public InterestLinksTest {
protected:
    static PublicationPtr publication(const std::string& id) {
        Publication made;
        made.id = RegistId(id);
        return std::make_shared<const Publication>(std::move(made));
    }
    void piece(std::uint64_t seq, const std::string& id, bool goes_on) {
        links.on_changes(kLeader,
                         {.stream = 1,
                          .seq = seq,
                          .goes_on = goes_on,
                          .changes = {DatumSnapshot{.service = kOrders,
                                                    .version = Version(9),
                                                    .settled = true,
                                                    .publications = {publication(id)},
                                                    .departed = {{.id = RegistId("-" + id)}}}}},
                         now, [this](const msg::ChangeBatch& batch) {
                             EXPECT_FALSE(batch.goes_on);
                             ASSERT_EQ(batch.changes.size(), 1U);
                             lists.push_back(std::get<DatumSnapshot>(batch.changes.front()));
                         });
    }
    static std::string ids(const DatumSnapshot& list) {
        std::string all;
        for (const auto& item : list.publications) {
            all += item->id.raw();
        }
        for (const auto& gone : list.departed) {
            all += gone.id.raw();
        }
        return all;
    }

    std::vector<DatumSnapshot> lists;
};

TEST_F(PiecesOfAList, AreTakenAsOneWhenAllAreThere) {
    piece(1, "a", true);
    piece(3, "c", false);  // early
    piece(4, "z", false);
    EXPECT_TRUE(lists.empty());
    piece(2, "b", true);
    ASSERT_EQ(lists.size(), 2U);
    EXPECT_EQ(ids(lists[0]), "abc-a-b-c");
    EXPECT_TRUE(lists[0].settled);
    EXPECT_EQ(lists[0].version, Version(9));
    EXPECT_EQ(ids(lists[1]), "z-z");
}

TEST_F(PiecesOfAList, AreNotTakenWhenTheStreamEndsBefore) {
    piece(1, "a", true);
    const auto waiting = links.restart(kLeader);
    ASSERT_EQ(waiting.size(), 1U);
    EXPECT_EQ(ids(std::get<DatumSnapshot>(waiting[0])), "a-a");
    piece(2, "b", false);
    EXPECT_TRUE(lists.empty());
}

// The rest is still on its way, and is no list.
TEST_F(PiecesOfAList, AreNotTakenOfWhatIsServedElsewhere) {
    piece(1, "a", true);
    piece(3, "c", false);
    EXPECT_EQ(links.forget_if([](const Service&) { return true; }).size(), 2U);
    piece(2, "b", true);
    EXPECT_TRUE(lists.empty());
    piece(4, "z", false);
    ASSERT_EQ(lists.size(), 1U);
    EXPECT_EQ(ids(lists[0]), "z-z");
}

TEST_F(PiecesOfAList, ThatAreNoneAreNotTaken) {
    piece(1, "a", true);
    changes(2);
    EXPECT_TRUE(taken.empty());
    changes(3);
    EXPECT_EQ(taken.size(), 1U);
    EXPECT_TRUE(lists.empty());
}

TEST_F(InterestLinksTest, SayWhatIsTakenWhenTheLeaderAsksOrWaits) {
    const auto said = [&] {
        send();
        std::vector<std::uint64_t> seqs;
        for (const auto& message : outbox.sent) {
            seqs.push_back(std::get<msg::ChangesTaken>(message).seq);
        }
        return seqs;
    };
    changes(1);
    EXPECT_TRUE(said().empty());
    links.on_changes(kLeader, {.stream = 1, .seq = 3, .ack_due = true}, now, [](const auto&) {});
    EXPECT_TRUE(said().empty()) << "it is early";
    changes(2);
    EXPECT_EQ(said(), std::vector<std::uint64_t>{3});
    EXPECT_TRUE(said().empty());
    static_cast<void>(links.on_heartbeat(
        kLeader, {.data = Incarnation(1), .stream = 1, .last_seq = 3, .waits = true}, now));
    EXPECT_EQ(said(), std::vector<std::uint64_t>{3}) << "what was said is lost";
}

TEST_F(InterestLinksTest, DropBeforeDeclaringAgain) {
    links.declare(kLeader, {.service = kOrders, .held = Version()});
    send();
    links.drop(kLeader, kOrders);
    links.declare(kLeader, {.service = kOrders, .held = Version()});
    send();
    ASSERT_EQ(outbox.sent.size(), 2U);
    const auto dropped = std::get<msg::InterestDrop>(outbox.sent.front()).part;
    EXPECT_LT(dropped, std::get<msg::InterestDeclare>(outbox.sent.back()).part);
}

}  // namespace
}  // namespace muster::session
