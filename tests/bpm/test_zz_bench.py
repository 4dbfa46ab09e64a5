import time
from tests.factories.bpm import *
import pytest
def test_bench(admin_user, rep, head, run_jobs, signed_in):
    from django.db import connection, reset_queries
    from django.urls import reverse
    make_example(admin_user,"commercial_offer","proposal")
    deal=make_deal(rep); cp=deal.counterparty
    t=time.perf_counter(); n=60
    for i in range(n): make_waiting(rep,name=f"d{i}",counterparty=cp)
    print("begin+request+deal per run ms", (time.perf_counter()-t)/n*1000)
    from django.test.utils import CaptureQueriesContext
    c=signed_in(rep)
    for name,args in (("bpm:task_list",[]),("bpm:task_detail",[task.pk for task in UserTask.objects.all()[:1]]),("bpm:instance_detail",[run_of(deal).pk] if False else [ProcessInstance.objects.first().pk]),("bpm:instance_list",[]),("bpm:deal_processes",[ProcessInstance.objects.first().record_id])):
        c.get(reverse(name,args=args))
        ts=[]
        with CaptureQueriesContext(connection) as q: c.get(reverse(name,args=args))
        for _ in range(15):
            t=time.perf_counter(); c.get(reverse(name,args=args)); ts.append((time.perf_counter()-t)*1000)
        print(name,len(q),"queries",round(sorted(ts)[7],1),"ms")
    from bpm.inbox import complete_task
    from django.core.files.uploadedfile import SimpleUploadedFile
    t=time.perf_counter()
    for task in UserTask.objects.open()[:30]: complete_task(task=task,outcome="attach",files={"offer":SimpleUploadedFile("o.pdf",b"x")},by=rep)
    print("complete ms",(time.perf_counter()-t)/30*1000)
    t=time.perf_counter(); k=run_jobs(); print("jobs",k,(time.perf_counter()-t)/k*1000,"ms each")
