// What the leader of a slot notes of publications, and what it answers about that.
#include <gmock/gmock.h>

#include "roles/data/test_world.h"

namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::service;
using test::TestSession;
using test::World;

const ServicePtr kOrders = service("orders");

// Keeps what is noted as one line each, and answers what it is told to.
class Notebook final : public history::Recorder {
public:
    void note(const history::Note& note) override {
        std::string line = note.publication.id.raw() + " " + std::string(to_string(note.what));
        if (note.what == HistoryRecord::What::removed || note.what == HistoryRecord::What::held) {
            line += " " + std::string(to_string(note.cause));
        }
        line += " " + std::string(to_string(note.why));
        line += note.by.empty() ? "" : " by " + std::string(note.by);
        lines.push_back(note.asked_by.empty() ? line : line.append(" for ").append(note.asked_by));
        versions.push_back(note.version);
    }
    void find(history::Query query, std::function<void(Result<history::Answer>)> answer) override {
        asked.push_back(std::move(query));
        answers.push_back(std::move(answer));
    }
    std::vector<std::string> take() {
        return std::exchange(lines, {});
    }

    std::vector<std::string> lines;
    std::vector<Version> versions;
    std::vector<history::Query> asked;
    std::vector<std::function<void(Result<history::Answer>)>> answers;
};

class HistoryTest : public ::testing::Test {
protected:
    HistoryTest() {
        world.note_to(notebook);
        world.start("d1");
        world.assign({"d1"});
        world.pass(1s);
        s2.want(kOrders);
        world.pass(15s);
    }

    Notebook notebook;
    World world{{}};
    TestSession& s1 = world.session("s1");
    TestSession& s2 = world.session("s2");
};

using testing::ElementsAre;
using testing::UnorderedElementsAre;

TEST_F(HistoryTest, NotesWhoSaidWhat) {
    s1.publish("a", kOrders);
    EXPECT_THAT(notebook.take(), ElementsAre("a registered said by s1"));
    EXPECT_EQ(notebook.versions.back(), s2.copies["orders"].version);
    s1.boxes["a"] = "10.0.0.7:80";
    s1.publish("a", kOrders);
    EXPECT_THAT(notebook.take(), ElementsAre("a changed said by s1"));
    s1.publish("a", kOrders);
    EXPECT_THAT(notebook.take(), ElementsAre()) << "the same again";
    s1.withdraw("a");
    EXPECT_THAT(notebook.take(), ElementsAre("a removed left said by s1"));
    s1.publish("b", kOrders);
    s1.close("b");
    EXPECT_THAT(notebook.take(),
                ElementsAre("b registered said by s1", "b removed closed said by s1"));
    EXPECT_EQ(notebook.versions.back(), s2.copies["orders"].version);
}

TEST_F(HistoryTest, NotesTheEndOfWhatItNeverKnew) {
    s1.publish("a", kOrders);
    world.start("d2");
    notebook.take();
    world.assign({"d2"});
    EXPECT_THAT(notebook.take(), ElementsAre()) << "it was not told of it yet";
    s1.withdraw("a");
    EXPECT_THAT(notebook.take(), ElementsAre("a removed left said by s1"));
}

TEST_F(HistoryTest, NotesWhoHasItNow) {
    s1.publish("a", kOrders);
    notebook.take();
    s2.boxes["a"] = s1.boxes["a"];
    s2.publish("a", kOrders);
    s2.publish("a", kOrders);
    EXPECT_THAT(notebook.take(), testing::Contains("a moved said by s2"));
}

TEST_F(HistoryTest, NotesThatASessionEndedWhoseClientsDidNotComeBack) {
    s1.publish("a", kOrders);
    notebook.take();
    world.link("d1", "s1", msg::LinkEvent::closed);
    world.pass(12s, {"s1"});
    EXPECT_THAT(notebook.take(), ElementsAre("a removed silent session_ended by s1"));
}

TEST_F(HistoryTest, NotesWhatOperatorsSay) {
    s1.boxes["a"] = "10.0.0.1:80";
    s1.publish("a", kOrders);
    notebook.take();
    msg::MarkRequest request{
        .incarnation = {}, .request = 1, .service = kOrders, .address = "10.0.0.1:80", .since = {}};
    const auto drained = world.ask_mark("d1", request);
    ASSERT_TRUE(drained.result);
    ASSERT_EQ(notebook.lines.size(), 1U);
    EXPECT_THAT(notebook.take().front(), testing::StartsWith("a drained marked by "));
    EXPECT_EQ(notebook.versions.back(), drained.version);
    world.ask_mark("d1", request);
    EXPECT_THAT(notebook.take(), ElementsAre()) << "it was drained already";
    request.kind = Mark::Kind::restored;
    request.asked_by = "ana@ops1";
    world.ask_mark("d1", request);
    EXPECT_THAT(notebook.take(), ElementsAre("a restored marked by operator for ana@ops1"));
    request.kind = Mark::Kind::drained;
    request.asked_by = "ana\nbob";
    EXPECT_EQ(world.ask_mark("d1", request).result.error().code, Errc::invalid_argument);
    EXPECT_THAT(notebook.take(), ElementsAre());
}

TEST_F(HistoryTest, NotesOfWhichOperatorASessionHasItsWord) {
    s1.publish("a", kOrders);
    s1.publish("b", kOrders);
    notebook.take();
    s1.drop("a", {.at = NodeId("s2"), .asked_by = "ana@ops1"});
    s1.close("b");
    EXPECT_THAT(notebook.take(), ElementsAre("a removed silent brake_confirmed by s2 for ana@ops1",
                                             "b removed closed said by s1"));
}

TEST_F(HistoryTest, NotesWhoDecidedAboutTheBrake) {
    constexpr int kProviders = 30;
    for (int i = 0; i < kProviders; ++i) {
        s1.publish("p" + std::to_string(100 + i), kOrders);
    }
    for (int i = 0; i < kProviders; ++i) {
        s1.close("p" + std::to_string(100 + i));
    }
    notebook.take();
    msg::BrakeRequest request{.action = msg::BrakeRequest::Action::release,
                              .scope = msg::BrakeScope::service,
                              .name = kOrders->data_info_id(),
                              .asked_by = "ana@ops1"};
    world.ask_brake("d1", request);
    EXPECT_EQ(notebook.take().back(), "p129 held silent brake_released by operator for ana@ops1");
    request.action = msg::BrakeRequest::Action::confirm;
    request.asked_by = "bob\n";
    request.asked_at = NodeId("s2");
    world.ask_brake("d1", request);
    EXPECT_EQ(notebook.take().back(), "p129 removed closed brake_confirmed by s2 for bob?");
}

TEST_F(HistoryTest, NotesWhatTheBrakeHoldsAndWhatBecomesOfIt) {
    constexpr int kProviders = 30;
    constexpr int kPassed = 15;
    for (int i = 0; i < kProviders; ++i) {
        s1.boxes["p" + std::to_string(100 + i)] = "10.0.0.1:" + std::to_string(100 + i);
        s1.publish("p" + std::to_string(100 + i), kOrders);
    }
    notebook.take();
    for (int i = 0; i < kProviders; ++i) {
        s1.close("p" + std::to_string(100 + i));
    }
    const auto ended = notebook.take();
    EXPECT_EQ(std::ranges::count(ended, std::string("p100 removed closed said by s1")), 1);
    EXPECT_EQ(std::ranges::count(ended, std::string("p129 held closed brake by s1")), 1);
    EXPECT_EQ(std::ranges::count_if(
                  ended, [](const auto& line) { return line.find(" held ") != line.npos; }),
              kProviders - kPassed);
    s1.publish("p129", kOrders);
    EXPECT_THAT(notebook.take(), ElementsAre("p129 moved heard_again by s1"));
    world.pass(120s);
    const auto over = notebook.take();
    EXPECT_EQ(over.size(), kProviders - kPassed - 1U);
    EXPECT_EQ(over.front(), "p115 removed closed brake_over");
}

msg::HistoryRequest question() {
    return {.incarnation = Incarnation(7),
            .request = 5,
            .service = kOrders,
            .address = "10.0.0.1:80",
            .since_ms = 99,
            .limit = 5000};
}

TEST_F(HistoryTest, AsksTheRecorderAndPassesItsAnswerOn) {
    world.ask_history("d1", question());
    ASSERT_EQ(notebook.asked.size(), 1U);
    EXPECT_EQ(notebook.asked[0].service, kOrders->path());
    EXPECT_EQ(notebook.asked[0].address, "10.0.0.1:80");
    EXPECT_EQ(notebook.asked[0].since_ms, 99);
    EXPECT_EQ(notebook.asked[0].limit, msg::HistoryRequest::kLimitMax);
    EXPECT_FALSE(world.history_reply.has_value());
    history::Answer answer{.more = true, .reaches_ms = 17, .lost = {{1, 2, 3}}};
    answer.records.push_back({.at_ms = 18, .id = RegistId("a")});
    notebook.answers[0](answer);
    world.run();
    ASSERT_TRUE(world.history_reply.has_value());
    EXPECT_EQ(world.history_reply->request, 5U);
    EXPECT_EQ(world.history_reply->records, answer.records);
    EXPECT_TRUE(world.history_reply->more);
    EXPECT_EQ(world.history_reply->reaches_ms, 17);
    EXPECT_EQ(world.history_reply->lost, answer.lost);
    world.ask_history("d1", question());
    notebook.answers[1](fail(Errc::busy, "16"));
    world.run();
    EXPECT_EQ(world.history_reply->result.error().code, Errc::busy);
}

TEST(HistoryOff, IsSaid) {
    World world{{"d1"}};
    world.assign({"d1"});
    world.ask_history("d1", question());
    ASSERT_TRUE(world.history_reply.has_value());
    EXPECT_EQ(world.history_reply->result.error().code, Errc::refused);
}

}  // namespace
}  // namespace muster::data
