#pragma once

#include <cstdint>
#include <string>

#include "doors/http/op.h"

namespace muster::http {

// One request to the metas, and their answer: a view of the report, or that it is done.
class ClusterOp final : public Op {
public:
    using Render = std::string (*)(const ClusterAnswer&);

    // `render` makes the answer of one with a report; null: there is none to show.
    ClusterOp(msg::OperatorRequest::What what, Render render)
        : what_(std::move(what)), render_(render) {}

    void start(OpHost& host) override;
    void on_cluster(OpHost& host, std::uint64_t token, const ClusterAnswer& answer) override;
    void on_deadline(OpHost& host) override;

private:
    msg::OperatorRequest::What what_;
    Render render_;
    std::uint64_t token_ = 0;
};

// One request to all who may hold something, and their answers.
class BrakeOp final : public Op {
public:
    explicit BrakeOp(BrakeWish wish) : wish_(std::move(wish)) {}

    void start(OpHost& host) override;
    void on_brake(OpHost& host, std::uint64_t token, const BrakeOutcome& outcome) override;
    void on_deadline(OpHost& host) override;

private:
    BrakeWish wish_;
    std::uint64_t token_ = 0;
};

// A comparison of all that is held.
class VerifyOp final : public Op {
public:
    void start(OpHost& host) override;
    void on_verify(OpHost& host, std::uint64_t token,
                   const Result<verify::Report>& report) override;
    void on_deadline(OpHost& host) override;

private:
    std::uint64_t token_ = 0;
};

// Who has been told what of a service.
class PropagationOp final : public Op {
public:
    explicit PropagationOp(propagation::Question wish) : wish_(std::move(wish)) {}

    void start(OpHost& host) override;
    void on_propagation(OpHost& host, std::uint64_t token,
                        const Result<propagation::Report>& report) override;
    void on_deadline(OpHost& host) override;

private:
    propagation::Question wish_;
    std::uint64_t token_ = 0;
};

// Instances that are about to leave, or are back.
class MarkOp final : public Op {
public:
    explicit MarkOp(propagation::DrainWish wish) : wish_(std::move(wish)) {}

    void start(OpHost& host) override;
    void on_marked(OpHost& host, std::uint64_t token,
                   const Result<propagation::DrainReport>& report) override;
    void on_deadline(OpHost& host) override;

private:
    propagation::DrainWish wish_;
    std::uint64_t token_ = 0;
};

// What became of a service's instances.
class HistoryOp final : public Op {
public:
    explicit HistoryOp(propagation::HistoryQuestion question) : question_(std::move(question)) {}

    void start(OpHost& host) override;
    void on_history(OpHost& host, std::uint64_t token,
                    const Result<propagation::HistoryReport>& report) override;
    void on_deadline(OpHost& host) override;

private:
    propagation::HistoryQuestion question_;
    std::uint64_t token_ = 0;
};

}  // namespace muster::http
