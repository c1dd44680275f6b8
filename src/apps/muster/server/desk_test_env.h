#pragma once

// What the desks' tests stand on. Only for tests.

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "doors/http/cluster_face.h"
#include "env/manual_time.h"
#include "msg/outbox.h"

namespace muster::cli {

// Keeps what is sent.
class KeptOutbox final : public msg::Outbox {
public:
    void send(const msg::RoleAddress& to, msg::ClusterMessage message) override {
        sent.emplace_back(to, std::move(message));
    }
    // The messages of one kind, in order.
    template <typename Message>
    [[nodiscard]] std::vector<std::pair<msg::RoleAddress, Message>> of() const {
        std::vector<std::pair<msg::RoleAddress, Message>> kind;
        for (const auto& [to, message] : sent) {
            if (const auto* found = std::get_if<Message>(&message)) {
                kind.emplace_back(to, *found);
            }
        }
        return kind;
    }
    std::vector<std::pair<msg::RoleAddress, msg::ClusterMessage>> sent;
};

// Keeps what is answered.
class KeptAnswers final : public http::ClusterPort {
public:
    void on_cluster(std::uint64_t token, const http::ClusterAnswer& answer) override {
        cluster.emplace_back(token, answer);
    }
    void on_brake(std::uint64_t token, const http::BrakeOutcome& outcome) override {
        brake.emplace_back(token, outcome);
    }
    void on_verify(std::uint64_t token, const Result<verify::Report>& report) override {
        verify.emplace_back(token, report);
    }
    void on_propagation(std::uint64_t token, const Result<propagation::Report>& report) override {
        propagation.emplace_back(token, report);
    }
    void on_marked(std::uint64_t token, const Result<propagation::DrainReport>& report) override {
        marked.emplace_back(token, report);
    }
    void on_history(std::uint64_t token,
                    const Result<propagation::HistoryReport>& report) override {
        histories.emplace_back(token, report);
    }
    std::vector<std::pair<std::uint64_t, http::ClusterAnswer>> cluster;
    std::vector<std::pair<std::uint64_t, http::BrakeOutcome>> brake;
    std::vector<std::pair<std::uint64_t, Result<verify::Report>>> verify;
    std::vector<std::pair<std::uint64_t, Result<propagation::Report>>> propagation;
    std::vector<std::pair<std::uint64_t, Result<propagation::DrainReport>>> marked;
    std::vector<std::pair<std::uint64_t, Result<propagation::HistoryReport>>> histories;
};

// What a desk is tested with: it is the target of `timers`.
class DeskTest : public testing::Test {
protected:
    static constexpr Incarnation kLife{7};

    void pass(Duration time) {
        constexpr Duration kStep = std::chrono::milliseconds(100);
        for (; time > Duration::zero(); time -= kStep) {
            clock.advance(kStep);
            timers.fire_due();
        }
    }

    env::ManualClock clock;
    env::ManualTimers timers{clock};
    KeptOutbox outbox;
    KeptAnswers answers;
};

}  // namespace muster::cli
